"""Where molecules come from: a bundled list of real ones, and variations on them.

The list (see `assets/smiles/NOTICE.md`) is split by a hash of each molecule's composition, so that isomers,
stereoisomers above all, never stand on both sides, and a variation's side is known without its origin.
"""

from __future__ import annotations

import lzma
import zlib
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...errors import InvalidOptionError, MissingDependencyError

if TYPE_CHECKING:
    from rdkit.Chem import Mol

Split = Literal["train", "test"]
_TEST_SHARE = 20  # one composition in so many is held out

# What may replace a hydrogen, written with its point of attachment first.
_SUBSTITUENTS = (
    *("F", "Cl", "Br", "I", "C", "CC", "C(C)C", "C(C)(C)C", "C1CC1", "O", "OC", "OCC", "N", "NC", "N(C)C"),
    *("C(F)(F)F", "OC(F)(F)F", "C#N", "C#C", "C=C", "[N+](=O)[O-]", "C=O", "C(=O)O", "C(=O)OC", "C(=O)N"),
    *("NC(=O)C", "S", "SC", "S(=O)C", "S(=O)(=O)C", "S(=O)(=O)N", "CO", "CN", "CCO", "OP(=O)(O)O", "B(O)O"),
    *("[Si](C)(C)C", "N=[N+]=[N-]", "c1ccccc1", "Cc1ccccc1", "c1ccccn1", "c1cccs1", "N1CCOCC1", "N1CCCCC1"),
)


def chemistry() -> Any:
    """RDKit's `Chem` module.

    Raises:
        MissingDependencyError: RDKit is not installed.
    """
    try:
        from rdkit import Chem
    except ImportError as error:
        raise MissingDependencyError('Molecules need rdkit: pip install "got-ocr2[synth]".') from error
    return Chem


def is_held_out(smiles: str) -> bool:
    """Whether a molecule belongs to the test side: by its heavy atoms, hydrogens and stereo marks aside."""
    atoms = "".join(sorted(letter for letter in smiles if letter.isalpha() and letter != "H"))
    return zlib.crc32(atoms.encode("ascii")) % _TEST_SHARE == 0


@lru_cache(maxsize=2)
def real_molecules(split: Split) -> tuple[str, ...]:
    """The bundled SMILES of one side of the split, in a fixed order.

    Raises:
        InvalidOptionError: `split` is neither "train" nor "test".
    """
    if split not in ("train", "test"):
        raise InvalidOptionError(f"The split is {split!r}; it must be 'train' or 'test'.")
    packed = files("got_ocr2.synth").joinpath("assets/smiles/molecules.smi.xz").read_bytes()
    lines = lzma.decompress(packed).decode("ascii").split()
    return tuple(smiles for smiles in lines if is_held_out(smiles) == (split == "test"))


def substituted(mol: Mol, rng: np.random.Generator) -> Mol | None:
    """The molecule with one to three of its C-H hydrogens replaced; None where it has none to replace."""
    chem = chemistry()
    for _ in range(int(rng.integers(1, 4))):
        sites = [a.GetIdx() for a in mol.GetAtoms() if a.GetSymbol() == "C" and a.GetTotalNumHs() > 0]
        if not sites:
            return None
        site = int(rng.choice(sites))
        group = chem.MolFromSmiles(_SUBSTITUENTS[int(rng.integers(len(_SUBSTITUENTS)))])
        mol = _bonded(chem, mol, site, group, 0)
        if mol is None:
            return None
    return mol


def recombined(left: Mol, right: Mol, rng: np.random.Generator) -> Mol | None:
    """Half of one molecule joined to half of the other by a single bond; None where either cannot be cut."""
    chem = chemistry()
    first, second = (_half(chem, mol, rng) for mol in (left, right))
    if first is None or second is None:
        return None
    (a, end_a), (b, end_b) = first, second
    if a.GetAtomWithIdx(end_a).GetSymbol() != "C" and b.GetAtomWithIdx(end_b).GetSymbol() != "C":
        return None  # N-N, O-O and their like are rare in real molecules
    return _bonded(chem, a, end_a, b, end_b)


def with_random_stereo(mol: Mol, rng: np.random.Generator, centres: float) -> Mol:
    """The molecule with a geometry chosen for each open double bond, and a handedness for some open centres.

    A picture cannot leave a double bond's geometry open, so the truth may not either.

    Args:
        centres: share of the unspecified tetrahedral centres that are given a handedness.
    """
    chem = chemistry()
    mol = chem.Mol(mol)
    hands = (chem.ChiralType.CHI_TETRAHEDRAL_CW, chem.ChiralType.CHI_TETRAHEDRAL_CCW)
    for place in chem.FindPotentialStereo(mol):
        if place.specified == chem.StereoSpecified.Specified:
            continue
        if place.type == chem.StereoType.Bond_Double:
            bond = mol.GetBondWithIdx(place.centeredOn)
            neighbours = list(
                place.controllingAtoms
            )  # two of either end; an absent one has an index past all
            begin, end = (min(neighbours[:2]), min(neighbours[2:]))
            if max(begin, end) >= mol.GetNumAtoms():
                continue  # an imine's N-H: its hydrogen is part of a label, on no side
            bond.SetStereoAtoms(begin, end)
            bond.SetStereo(chem.BondStereo.STEREOCIS if rng.random() < 0.5 else chem.BondStereo.STEREOTRANS)
        elif place.type == chem.StereoType.Atom_Tetrahedral and rng.random() < centres:
            mol.GetAtomWithIdx(place.centeredOn).SetChiralTag(hands[int(rng.integers(2))])
    return chem.MolFromSmiles(chem.MolToSmiles(mol))  # marks that turned out to mean nothing are dropped


def _half(chem: Any, mol: Mol, rng: np.random.Generator) -> tuple[Mol, int] | None:
    """One side of a random single bond outside rings, and the index of the atom that lost its neighbour."""
    bonds = [
        b
        for b in mol.GetBonds()
        if b.GetBondType() == chem.BondType.SINGLE
        and not b.IsInRing()
        and (b.GetBeginAtom().IsInRing() or b.GetEndAtom().IsInRing())
    ]
    if not bonds:
        return None
    bond = bonds[int(rng.integers(len(bonds)))]
    ends = [bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()]
    cut = chem.FragmentOnBonds(mol, [bond.GetIdx()], addDummies=False)
    keep = max(chem.GetMolFrags(cut), key=len)
    end = next(e for e in ends if e in keep)
    part = chem.RWMol(cut)
    for atom in sorted(set(range(cut.GetNumAtoms())) - set(keep), reverse=True):
        part.RemoveAtom(atom)
    return part.GetMol(), sorted(keep).index(end)


def _bonded(chem: Any, a: Mol, at_a: int, b: Mol, at_b: int) -> Mol | None:
    """The two molecules as one, with a single bond between the two atoms; None where a valence forbids it."""
    joined = chem.RWMol(chem.CombineMols(a, b))
    at_b += a.GetNumAtoms()
    joined.AddBond(at_a, at_b, chem.BondType.SINGLE)
    for index in (at_a, at_b):
        atom = joined.GetAtomWithIdx(index)
        atom.SetNoImplicit(False)
        atom.SetNumExplicitHs(0)
        atom.SetChiralTag(chem.ChiralType.CHI_UNSPECIFIED)
        for bond in atom.GetBonds():
            bond.SetStereo(chem.BondStereo.STEREONONE)
    try:
        chem.SanitizeMol(joined)
    except chem.MolSanitizeException:
        return None
    return joined.GetMol()
