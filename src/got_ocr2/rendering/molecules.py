"""Molecules: SMILES, checked and drawn by RDKit.

A string that breaks the grammar stands for no molecule and is refused, with the place. One that breaks the rules of
chemistry (a carbon with five bonds, a ring that cannot be aromatic) is drawn all the same, the atoms at fault in red.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidOptionError, RenderError
from ..extras import need
from .problems import Problem, refuse
from .rendered import Rendered
from .smiles_scan import Fault, atom_offsets, first_fault

_TAGGED = re.compile(r"\s*<smiles>(.*?)(?:</smiles>\s*)?", re.DOTALL)
_LONGEST = 4000  # characters
_MOST_ATOMS = 500  # RDKit takes some seconds to lay out so many; 1000 take four times as long
_SIDES = (50, 4000)  # pixels


@dataclass(frozen=True)
class Molecule:
    """A molecule that was read.

    Attributes:
        mol: RDKit's molecule; sanitised if it obeys the rules of chemistry, with its hydrogens as written.
        smiles: the string that it was read from, without tags.
        wrong_atoms: numbers of the atoms that break the rules, from 0 in the order of the string.
        problems: what rules they break.
    """

    mol: Any
    smiles: str
    wrong_atoms: tuple[int, ...]
    problems: tuple[Problem, ...]


def parse_molecule(text: str) -> Molecule:
    """Reads a SMILES string, with or without the `<smiles>` tags of Mathpix markdown.

    Raises:
        MissingDependencyError: RDKit is not installed.
        RenderError: it is no SMILES string, or longer than 4000 characters, or has more than 500 atoms.
    """
    chem = need("rdkit.Chem", "Rendering molecules", extra="render")
    tagged = _TAGGED.fullmatch(text)
    inner, start = (tagged.group(1), tagged.start(1)) if tagged else (text, 0)
    smiles = inner.strip()
    start += len(inner) - len(inner.lstrip())
    if not smiles:
        raise RenderError("There is no molecule: the text is empty.")
    if len(smiles) > _LONGEST:
        raise RenderError(f"A molecule's SMILES has at most {_LONGEST} characters, got {len(smiles)}.")

    def problem(offset: int, reason: str) -> Problem:
        before = text[: start + offset]
        return Problem(before.count("\n") + 1, len(before) - before.rfind("\n"), reason)

    parameters = chem.SmilesParserParams()
    parameters.sanitize = parameters.removeHs = parameters.parseName = parameters.allowCXSMILES = False
    with need("rdkit.rdBase", "Rendering molecules", extra="render").BlockLogs():
        mol = None if any(map(str.isspace, smiles)) else chem.MolFromSmiles(smiles, parameters)
        if mol is None:
            fault = first_fault(smiles) or _unknown_atom(smiles, chem, parameters)
            raise RenderError(f"This is no SMILES string: {problem(fault.offset, fault.reason)}.")
        if mol.GetNumAtoms() > _MOST_ATOMS:
            raise RenderError(f"A molecule has at most {_MOST_ATOMS} atoms, got {mol.GetNumAtoms()}.")
        places = atom_offsets(smiles)
        problems, wrong = list[Problem](), list[int]()
        for found in chem.DetectChemistryProblems(mol):
            atoms = list(found.GetAtomIndices()) if hasattr(found, "GetAtomIndices") else _atom(found)
            place = places[min(atoms)] if atoms and max(atoms) < len(places) else 0
            problems.append(problem(place, _reason(found, mol)))
            wrong += atoms
        if problems:
            mol.UpdatePropertyCache(strict=False)
            chem.FastFindRings(mol)
        else:
            chem.SanitizeMol(mol)
            chem.AssignStereochemistry(mol, cleanIt=True, force=True)
            mol = chem.RemoveHs(mol)
    ordered = sorted(problems, key=lambda one: (one.line, one.column or 0))
    return Molecule(mol, smiles, tuple(sorted(set(wrong))), tuple(ordered))


def write_svg(text: str, *, strict: bool = False, width: int = 500, height: int = 400) -> Rendered:
    """A drawing that scales.

    Args:
        text: a SMILES string.
        strict: raise where the molecule breaks the rules of chemistry.
        width, height: in pixels, 50 to 4000.
    """
    molecule = _checked(text, strict)
    return Rendered.of(_drawn(molecule, "SVG", width, height), "svg", "molecule", molecule.problems)


def write_png(text: str, *, strict: bool = False, width: int = 500, height: int = 400) -> Rendered:
    """A picture on white; the arguments are those of `write_svg`."""
    molecule = _checked(text, strict)
    return Rendered.of(_drawn(molecule, "Cairo", width, height), "png", "molecule", molecule.problems)


def write_mol(text: str, *, strict: bool = False) -> Rendered:
    """An MDL molfile (V2000) with coordinates to draw it by."""
    molecule = _checked(text, strict)
    chem = need("rdkit.Chem", "Rendering molecules", extra="render")
    mol = _laid_out(molecule)
    return Rendered.of(
        chem.MolToMolBlock(mol, kekulize=not molecule.problems), "mol", "molecule", molecule.problems
    )


def write_inchi(text: str, *, strict: bool = False, key: bool = False) -> Rendered:
    """The standard InChI on a line, or its key.

    Args:
        text: a SMILES string.
        strict: as everywhere; without it too a molecule that breaks the rules of chemistry has no InChI.
        key: write the InChIKey, the InChI's fixed-length hash.

    Raises:
        RenderError: the molecule has no InChI.
    """
    molecule = _checked(text, strict)
    if molecule.problems:
        raise RenderError(f"This molecule has no InChI: {molecule.problems[0]}.")
    chem = need("rdkit.Chem", "Rendering molecules", extra="render")
    with need("rdkit.rdBase", "Rendering molecules", extra="render").BlockLogs():
        inchi = chem.MolToInchi(molecule.mol)
    if not inchi:
        raise RenderError(
            f"There is no InChI for {molecule.smiles[:80]}, such as for an atom that may be any."
        )
    return Rendered.of(f"{chem.InchiToInchiKey(inchi) if key else inchi}\n", "inchi", "molecule")


def write_smiles(text: str, *, strict: bool = False, canonical: bool = True) -> Rendered:
    """SMILES on a line without tags.

    Args:
        text: a SMILES string.
        strict: raise where the molecule breaks the rules of chemistry.
        canonical: in RDKit's canonical form, the same for every way to write a molecule; one that breaks the
            rules has none and stays as it is.
    """
    molecule = _checked(text, strict)
    chem = need("rdkit.Chem", "Rendering molecules", extra="render")
    smiles = chem.MolToSmiles(molecule.mol) if canonical and not molecule.problems else molecule.smiles
    return Rendered.of(f"{smiles}\n", "smiles", "molecule", molecule.problems)


def _checked(text: str, strict: bool) -> Molecule:
    molecule = parse_molecule(text)
    if strict:
        refuse("molecule", molecule.problems)
    return molecule


def _atom(found: Any) -> list[int]:
    return [found.GetAtomIdx()] if hasattr(found, "GetAtomIdx") else []


def _unknown_atom(smiles: str, chem: Any, parameters: Any) -> Fault:
    for offset in atom_offsets(smiles):
        token = smiles[offset : smiles.find("]", offset) + 1]
        if smiles[offset] == "[" and chem.MolFromSmiles(token, parameters) is None:
            return Fault(offset, f"{token[:40]} is no atom that RDKit knows")
    return Fault(0, "RDKit cannot read this string")


def _reason(found: Any, mol: Any) -> str:
    """RDKit's reason without the numbers that it gives to atoms, which readers of the string do not see."""
    if found.GetType() == "AtomValenceException":
        atom = mol.GetAtomWithIdx(found.GetAtomIdx())
        bonds = round(sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds())) + atom.GetNumExplicitHs()
        charge = atom.GetFormalCharge()
        name = f"{atom.GetSymbol()}{f' with charge {charge:+d}' if charge else ''}"
        return f"{name} has {bonds} bonds here, more than it can; the atom is drawn in red"
    if found.GetType() in {"KekulizeException", "AtomKekulizeException"}:
        return "this ring cannot be aromatic as written; its atoms are drawn in red"
    return f"{found.Message()[:200].strip().rstrip('.')}; the atom is drawn in red"


def _laid_out(molecule: Molecule) -> Any:
    need("rdkit.Chem.rdDepictor", "Rendering molecules", extra="render").Compute2DCoords(molecule.mol)
    return molecule.mol


def _drawn(molecule: Molecule, surface: str, width: int, height: int) -> Any:
    for name, side in (("width", width), ("height", height)):
        if not _SIDES[0] <= side <= _SIDES[1]:
            raise InvalidOptionError(f"A molecule's {name} is {_SIDES[0]} to {_SIDES[1]} pixels, got {side}.")
    draw = need("rdkit.Chem.Draw.rdMolDraw2D", "Rendering molecules", extra="render")
    canvas = getattr(draw, f"MolDraw2D{surface}")(width, height)
    wrong = list(molecule.wrong_atoms)
    prepared = draw.PrepareMolForDrawing(_laid_out(molecule), kekulize=not molecule.problems)
    canvas.drawOptions().prepareMolsBeforeDrawing = False
    canvas.DrawMolecule(prepared, highlightAtoms=wrong, highlightBonds=[])
    canvas.FinishDrawing()
    return canvas.GetDrawingText()
