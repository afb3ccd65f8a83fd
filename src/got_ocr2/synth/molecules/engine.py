"""Engine of molecules: a skeletal formula drawn by RDKit, answered by its SMILES.

The answer is RDKit's canonical isomeric SMILES, bare: no `<smiles>` tag, because no published output of GOT
shows one (readers of its output should accept both). It is read back from the drawing's own coordinates and
wedges, so it says what the picture shows and nothing that the picture leaves open. Canonical SMILES depend on
the RDKit release, hence its pin.
"""

from __future__ import annotations

import io
import math
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from ...errors import GotOcr2Error, InvalidOptionError
from ..fonts.catalog import FontFile, fonts
from ..sample import Sample, Task, sample_rng
from . import smiles

_ATTEMPTS = 64
_ANGSTROM_PER_BOND = 1.5  # RDKit's length of a drawn bond
_PALETTES = ("black", "black", "black", "rdkit", "avalon", "cdk")


@dataclass(frozen=True)
class MoleculeStyle:
    """How one molecule is drawn.

    Attributes:
        bond: length of a bond in pixels.
        line: width of a bond's line in pixels.
        palette: atom colours: "black", "rdkit", "avalon" or "cdk".
        letters: size of an atom's label, in RDKit's unit of about a bond length.
        gap: distance between the lines of a double bond as a share of the bond length.
        margin: empty border in pixels, left, top, right and bottom.
        font: path of the face of the labels; None for RDKit's own.
        turn: rotation in degrees.
        mirror: mirrored before drawing (wedges and geometry follow, so the molecule stays the same).
        kekulised: aromatic rings with alternating double bonds rather than dashed inner lines.
        methyls: end groups written as CH3.
        abbreviated: groups such as CO2Et, Ph and NO2 written as labels.
        layout: who places the atoms, "rdkit" or "coordgen".
    """

    bond: float
    line: int
    palette: str
    letters: float
    gap: float
    margin: tuple[int, int, int, int]
    font: str | None
    turn: float
    mirror: bool
    kekulised: bool
    methyls: bool
    abbreviated: bool
    layout: str


class MoleculeEngine:
    """Draws molecules.

    Args:
        split: "train", or "test" for compositions (and fonts) that training never draws.
        variations: share of samples that are a variation on a listed molecule rather than itself.
        max_atoms: most heavy atoms, 3 to 60.
        max_side: longest side of the picture in pixels; a molecule that would need bonds shorter than
            the shortest of `bonds` to fit is not drawn.
        bonds: shortest and longest bond in pixels.

    Raises:
        InvalidOptionError: an option out of range.
        MissingDependencyError: RDKit is not installed (at the first sample).
    """

    kind = "molecule"

    def __init__(
        self,
        *,
        split: smiles.Split = "train",
        variations: float = 0.5,
        max_atoms: int = 48,
        max_side: int = 900,
        bonds: tuple[float, float] = (20.0, 52.0),
    ) -> None:
        if split not in ("train", "test"):
            raise InvalidOptionError(f"The split is {split!r}; it must be 'train' or 'test'.")
        if not 0 <= variations <= 1:
            raise InvalidOptionError(f"The share of variations is {variations:g}; it must lie in 0 to 1.")
        if not 3 <= max_atoms <= 60:
            raise InvalidOptionError(f"The limit on atoms is {max_atoms}; it must lie in 3 to 60.")
        if not 8 <= bonds[0] <= bonds[1] <= 200:
            raise InvalidOptionError(
                f"Bonds of {bonds[0]:g} to {bonds[1]:g} pixels are outside 8 to 200, rising."
            )
        self.split: smiles.Split = split
        self.variations = variations
        self.max_atoms = max_atoms
        self.max_side = max_side
        self.bonds = bonds

    def sample(self, seed: int, index: int) -> Sample:
        """Draws one molecule; the answer is its canonical isomeric SMILES."""
        chem = smiles.chemistry()
        from rdkit import rdBase

        rng = sample_rng(seed, self.kind, index)
        with rdBase.BlockLogs():
            for _ in range(_ATTEMPTS):
                found = self._attempt(chem, rng)
                if found is not None:
                    return found
        raise GotOcr2Error(
            f"No molecule of at most {self.max_atoms} atoms fits {self.max_side} pixels with bonds of "
            f"{self.bonds[0]:g} pixels after {_ATTEMPTS} attempts."
        )

    def _attempt(self, chem: Any, rng: np.random.Generator) -> Sample | None:
        mol, origin = self._molecule(chem, rng)
        if mol is None or not 3 <= mol.GetNumHeavyAtoms() <= self.max_atoms:
            return None
        style = self._style(rng)
        mol = _placed(mol, style)
        text = _read_back(chem, mol)
        if text is None or smiles.is_held_out(text) != (self.split == "test"):
            return None
        places = mol.GetConformer().GetPositions()[:, :2]
        span = float(np.ptp(places, axis=0).max()) / _ANGSTROM_PER_BOND + 2.0  # bonds, with room for labels
        if span * style.bond > self.max_side:
            style = replace(style, bond=self.max_side / span)
        if style.bond < self.bonds[0] or _crowded(places):
            return None
        meta = {"source": origin, "atoms": mol.GetNumHeavyAtoms(), "style": asdict(style)}
        if style.font is not None:
            meta["style"]["font"] = style.font.rsplit("/", 1)[-1]
        return Sample(self.kind, (_drawn(chem, mol, style),), text, Task(format=True), meta=meta)

    def _molecule(self, chem: Any, rng: np.random.Generator) -> tuple[Any, str]:
        """A molecule with every double bond's geometry settled, and where it comes from."""
        listed = smiles.real_molecules(self.split)
        mol = chem.MolFromSmiles(listed[int(rng.integers(len(listed)))])
        origin = "listed"
        if rng.random() < self.variations:
            if rng.random() < 0.5:
                mol, origin = smiles.substituted(mol, rng), "substituted"
            else:
                other = chem.MolFromSmiles(listed[int(rng.integers(len(listed)))])
                mol, origin = smiles.recombined(mol, other, rng), "recombined"
        if mol is None:
            return None, origin
        return smiles.with_random_stereo(mol, rng, centres=float(rng.choice([0.0, 0.5, 1.0]))), origin

    def _style(self, rng: np.random.Generator) -> MoleculeStyle:
        bond = float(rng.uniform(*self.bonds))
        faces = _label_faces(self.split)
        m = rng.integers(6, 10 + int(rng.choice([8, 40])), 4)
        return MoleculeStyle(
            bond=bond,
            line=int(np.clip(round(bond * rng.uniform(0.03, 0.09)), 1, 4)),
            palette=str(rng.choice(_PALETTES)),
            letters=float(rng.uniform(0.55, 0.8)),
            gap=float(rng.uniform(0.12, 0.2)),
            margin=(int(m[0]), int(m[1]), int(m[2]), int(m[3])),
            font=faces[int(rng.integers(len(faces)))].path if rng.random() < 0.7 else None,
            turn=float(rng.choice([0.0, 0.0, 30.0, 90.0, rng.uniform(0, 360)])),
            mirror=bool(rng.random() < 0.5),
            kekulised=bool(rng.random() < 0.92),
            methyls=bool(rng.random() < 0.1),
            abbreviated=bool(rng.random() < 0.12),
            layout="coordgen" if rng.random() < 0.25 else "rdkit",
        )


def _label_faces(split: smiles.Split) -> tuple[FontFile, ...]:
    """Upright static faces, since RDKit opens the first design of a file."""
    faces = fonts(("sans", "serif"), split=split, weights=(300, 700), italic=False)
    return tuple(face for face in faces if not face.axes and face.index == 0)


def _placed(mol: Any, style: MoleculeStyle) -> Any:
    """The molecule with flat coordinates, in Ångström, turned and mirrored."""
    from rdkit.Chem import rdCoordGen, rdDepictor, rdMolTransforms

    if style.layout == "coordgen":
        rdCoordGen.AddCoords(mol)
    else:
        rdDepictor.Compute2DCoords(mol)
    angle, flip = math.radians(style.turn), -1.0 if style.mirror else 1.0
    cos, sin = math.cos(angle), math.sin(angle)
    turn = np.array([[cos * flip, -sin, 0, 0], [sin * flip, cos, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]], float)
    rdMolTransforms.TransformConformer(mol.GetConformer(), turn)
    return mol


def _read_back(chem: Any, mol: Any) -> str | None:
    """Canonical SMILES of what coordinates and wedges say; None if it does not survive being read again."""
    seen = chem.MolFromMolBlock(chem.MolToMolBlock(mol))
    if seen is None or seen.GetNumHeavyAtoms() != mol.GetNumHeavyAtoms():
        return None
    text = chem.MolToSmiles(seen)
    again = chem.MolFromSmiles(text)
    return text if again is not None and chem.MolToSmiles(again) == text else None


def _crowded(places: np.ndarray) -> bool:
    """Whether two atoms lie closer together than a person could tell apart."""
    gaps = np.linalg.norm(places[:, None] - places[None], axis=-1)
    np.fill_diagonal(gaps, np.inf)
    return bool(gaps.min() < 0.4 * _ANGSTROM_PER_BOND)


def _drawn(chem: Any, mol: Any, style: MoleculeStyle) -> Image.Image:
    """RGB picture of a placed molecule, as large as it needs at `style.bond` pixels a bond."""
    from rdkit.Chem import rdAbbreviations
    from rdkit.Chem.Draw import rdMolDraw2D

    if style.abbreviated:
        known = rdAbbreviations.GetDefaultAbbreviations()
        mol = rdAbbreviations.CondenseMolAbbreviations(mol, known, maxCoverage=0.6)
    canvas = rdMolDraw2D.MolDraw2DCairo(-1, -1)
    options = canvas.drawOptions()
    options.scalingFactor = style.bond / _ANGSTROM_PER_BOND
    options.bondLineWidth = style.line
    options.scaleBondWidth = False
    options.multipleBondOffset = style.gap
    options.baseFontSize = style.letters
    options.minFontSize = 8
    options.maxFontSize = -1
    options.explicitMethyl = style.methyls
    options.singleColourWedgeBonds = True
    options.includeMetadata = False
    options.prepareMolsBeforeDrawing = False
    options.padding = 0.02
    if style.font is not None:
        options.fontFile = style.font
    _PALETTE_SETTERS[style.palette](options)
    canvas.DrawMolecule(rdMolDraw2D.PrepareMolForDrawing(mol, kekulize=style.kekulised, forceCoords=False))
    canvas.FinishDrawing()
    with Image.open(io.BytesIO(canvas.GetDrawingText())) as picture:
        left, top, right, bottom = style.margin
        page = Image.new("RGB", (left + picture.width + right, top + picture.height + bottom), "white")
        page.paste(picture, (left, top))
        return page


_PALETTE_SETTERS = {
    "black": lambda options: options.useBWAtomPalette(),
    "rdkit": lambda options: options.useDefaultAtomPalette(),
    "avalon": lambda options: options.useAvalonAtomPalette(),
    "cdk": lambda options: options.useCDKAtomPalette(),
}
