"""SMILES: what RDKit reads back is what was written, what is wrong is found in its place, anything ends in time."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from rdkit import Chem, rdBase

from got_ocr2.errors import InvalidOptionError, RenderError
from got_ocr2.rendering import render
from got_ocr2.rendering.molecules import parse_molecule
from got_ocr2.rendering.smiles_scan import atom_offsets, first_fault
from got_ocr2.synth.molecules.engine import MoleculeEngine

SET = Path(__file__).parents[2] / "testsets" / "molecule" / "data.jsonl"
TRUTHS = [json.loads(line)["text"] for line in SET.read_text(encoding="utf-8").splitlines()]


def write(text, to, **options):
    return render(text, to, "molecule", **options)


def inchi_of(mol):
    with rdBase.BlockLogs():
        return Chem.MolToInchi(mol)


@pytest.mark.parametrize("smiles", TRUTHS)
def test_frozen_truths_survive_every_format(smiles):
    expected = inchi_of(Chem.MolFromSmiles(smiles))
    assert write(smiles, "inchi").text == expected + "\n"
    assert inchi_of(Chem.MolFromMolBlock(write(smiles, "mol").text)) == expected
    assert inchi_of(Chem.MolFromSmiles(write(smiles, "smiles").text)) == expected
    drawn = write(smiles, "svg", strict=True)
    assert drawn.problems == ()
    bonds = Chem.MolFromSmiles(smiles).GetNumBonds()
    assert all(f"bond-{k} " in drawn.text for k in range(bonds))


@pytest.mark.parametrize("count", [20, pytest.param(500, marks=pytest.mark.slow)])
def test_drawn_samples_are_the_molecules_that_we_draw(count):
    engine = MoleculeEngine(split="test")
    for index in range(count):
        truth = engine.sample(11, index).text
        mol = Chem.MolFromMolBlock(write(truth, "mol", strict=True).text)
        assert Chem.MolToSmiles(mol) == Chem.MolToSmiles(Chem.MolFromSmiles(truth)), truth


@pytest.mark.parametrize(
    ("text", "place", "reason"),
    [
        ("CC(=O", "line 1, column 3", "the branch that opens here is never closed"),
        ("CC)C", "line 1, column 3", "')' closes no branch"),
        ("C1CC", "line 1, column 2", "ring 1 is opened here and never closed"),
        ("C11", "line 1, column 3", "ring 1 binds an atom to itself"),
        ("C%12CC", "line 1, column 2", "ring 12 is opened here and never closed"),
        ("CC=", "line 1, column 3", "the bond '=' leads to no atom"),
        ("CC=#C", "line 1, column 4", "two bonds follow one another, '=' and '#'"),
        ("CC(C=)C", "line 1, column 5", "the bond '=' leads to no atom"),
        ("=C", "line 1, column 1", "'=' has no atom before it"),
        ("C()C", "line 1, column 3", "')' has no atom before it"),
        ("CXC", "line 1, column 2", "'X' is no atom, bond, branch or ring number"),
        ("C[N", "line 1, column 2", "the atom in brackets that opens here is never closed"),
        ("C[Zz]", "line 1, column 2", "[Zz] is no atom that RDKit knows"),
        ("C[C@@@H]", "line 1, column 2", "[C@@@H] is no atom in brackets"),
        ("\n CCO ethanol", "line 2, column 5", "white space ends the molecule, but more follows"),
        ("<smiles>CQ</smiles>", "line 1, column 10", "'Q' is no atom, bond, branch or ring number"),
    ],
)
def test_what_breaks_the_grammar_is_refused_in_its_place(text, place, reason):
    with pytest.raises(RenderError) as caught:
        write(text, "svg")
    assert str(caught.value) == f"This is no SMILES string: {place}: {reason}."


@pytest.mark.parametrize(
    ("text", "column", "atoms", "reason"),
    [
        ("CC(C)(C)(C)C", 2, (1,), "C has 5 bonds here"),
        ("C[N+](C)(C)(C)C", 2, (1,), "N with charge +1 has 5 bonds here"),
        ("Clc1cccc1", 3, (1, 2, 3, 4, 5), "this ring cannot be aromatic"),
    ],
)
def test_what_breaks_the_rules_of_chemistry_is_drawn_in_red(text, column, atoms, reason):
    molecule = parse_molecule(text)
    assert molecule.wrong_atoms == atoms
    assert [(p.line, p.column) for p in molecule.problems] == [(1, column)]
    assert molecule.problems[0].reason.startswith(reason)
    drawn = write(text, "svg")
    assert drawn.problems == molecule.problems
    red = [k for k in range(7) if f"class='atom-{k}'  style='fill:#FF7F7F" in drawn.text]
    assert red == list(atoms)
    assert write(text, "mol").problems == molecule.problems
    with pytest.raises(RenderError, match="not as it should be: line 1"):
        write(text, "svg", strict=True)
    with pytest.raises(RenderError, match="has no InChI"):
        write(text, "inchi")


def test_tags_stereo_salts_and_isotopes():
    assert (
        write("<smiles>C[C@H](N)C(=O)O</smiles>\n", "inchi", key=True).text == "QNAYBMKLOCPYGJ-REOHCLBHSA-N\n"
    )
    assert write("<smiles>CCO", "smiles").text == "CCO\n"
    assert write("OCC", "smiles").text == "CCO\n"
    assert write("OCC", "smiles", canonical=False).text == "OCC\n"
    assert write("[Na+].[Cl-]", "inchi").text == "InChI=1S/ClH.Na/h1H;/q;+1/p-1\n"
    assert write("[2H]C", "inchi").text == "InChI=1S/CH4/h1H4/i1D\n"
    assert write("F/C=C/F", "inchi").text != write("F/C=C\\F", "inchi").text
    with pytest.raises(RenderError, match="There is no InChI"):
        write("C*", "inchi")


def test_png_has_the_size_asked_for_and_ink():
    with Image.open(io.BytesIO(write("c1ccccc1Cl", "png", width=320, height=200).data)) as picture:
        assert picture.size == (320, 200)
        darkest, lightest = picture.convert("L").getextrema()
        assert (darkest < 80, lightest) == (True, 255)
    with pytest.raises(InvalidOptionError, match="width is 50 to 4000 pixels, got 5"):
        write("C", "png", width=5)


def test_the_same_bytes_every_time():
    for to in ("svg", "png", "mol"):
        assert write(TRUTHS[2], to).data == write(TRUTHS[2], to).data


def test_hostile_input_is_bounded():
    start = time.process_time()
    with pytest.raises(RenderError, match="at most 4000 characters, got 5000000"):
        write("C" * 5_000_000, "svg")
    with pytest.raises(RenderError, match="at most 500 atoms, got 1333"):
        write("C(C)" * 666 + "C", "svg")
    with pytest.raises(RenderError, match="is no SMILES string"):
        write("(" * 4000, "svg")
    with pytest.raises(RenderError, match="is no SMILES string"):
        write("C(" * 2000, "svg")
    with pytest.raises(RenderError, match="is no SMILES string"):
        write("<script>alert(1)</script>", "svg")
    assert "<script" not in write("[13CH3:7]C", "svg").text
    assert time.process_time() - start < 60


@settings(max_examples=300, deadline=None)
@given(st.text("CcNnO[]()=#123%/\\@H+-. X", max_size=14))
def test_any_string_is_drawn_or_refused_with_its_place(text):
    try:
        molecule = parse_molecule(text)
    except RenderError:
        return
    assert len(atom_offsets(molecule.smiles)) >= molecule.mol.GetNumAtoms()
    assert first_fault(molecule.smiles) is None
