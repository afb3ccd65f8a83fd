"""Molecules: the answer is canonical, says what the drawing says, and the sides of the split never meet."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace

import numpy as np
import pytest

from got_ocr2.errors import GotOcr2Error, InvalidOptionError, MissingDependencyError
from got_ocr2.synth.molecules import engine as molecules
from got_ocr2.synth.molecules import smiles
from got_ocr2.synth.molecules.engine import MoleculeEngine

Chem = pytest.importorskip("rdkit.Chem")

COUNT = 60


@pytest.fixture(scope="module")
def samples():
    engine = MoleculeEngine()
    return [engine.sample(11, index) for index in range(COUNT)]


def test_answers_round_trip_through_rdkit(samples):
    for sample in samples:
        assert Chem.MolToSmiles(Chem.MolFromSmiles(sample.text)) == sample.text
        assert sample.task.format


def test_samples_are_varied(samples):
    assert len({sample.text for sample in samples}) > COUNT * 0.9
    assert sum("@" in sample.text for sample in samples) > COUNT // 10
    assert any("/" in sample.text for sample in samples)
    assert {sample.meta["source"] for sample in samples} == {"listed", "substituted", "recombined"}


def test_nothing_is_clipped(samples):
    for sample in samples:
        gray = np.asarray(sample.image.convert("L"))
        assert gray.min() < 128
        edges = np.concatenate([gray[0], gray[-1], gray[:, 0], gray[:, -1]])
        assert edges.min() == 255


def test_same_seed_and_index_give_the_same_bytes(samples):
    again = pickle.loads(pickle.dumps(MoleculeEngine())).sample(11, 7)
    assert again.text == samples[7].text
    assert again.image.tobytes() == samples[7].image.tobytes()
    assert again.meta == samples[7].meta
    assert MoleculeEngine().sample(12, 7).text != samples[7].text


@pytest.mark.parametrize(
    "text",
    [
        "C[C@H](N)C(=O)O",
        "C[C@@H](N)C(=O)O",
        "C/C=C\\C(=O)O",
        "C/C=C/C(=O)O",
        "C[C@H]1CC[C@@H](O)C[C@H]1/C=C/Cl",
    ],
)
@pytest.mark.parametrize("layout", ["rdkit", "coordgen"])
@pytest.mark.parametrize(("mirror", "turn"), [(False, 0.0), (True, 0.0), (True, 77.0)])
def test_turning_and_mirroring_keep_the_molecule(text, layout, mirror, turn):
    """Wedges follow the coordinates, so a mirrored drawing still shows the same stereoisomer."""
    style = MoleculeEngine()._style(np.random.default_rng(0))
    style = replace(style, layout=layout, mirror=mirror, turn=turn)
    placed = molecules._placed(Chem.MolFromSmiles(text), style)
    assert molecules._read_back(Chem, placed) == Chem.CanonSmiles(text)


def test_stereoisomers_are_drawn_differently():
    style = replace(MoleculeEngine()._style(np.random.default_rng(0)), mirror=False, layout="rdkit")
    drawn = {
        text: molecules._drawn(Chem, molecules._placed(Chem.MolFromSmiles(text), style), style).tobytes()
        for text in ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O", "CC(N)C(=O)O")
    }
    assert len(set(drawn.values())) == 3


def test_open_double_bonds_are_settled():
    rng = np.random.default_rng(3)
    seen = {
        Chem.MolToSmiles(smiles.with_random_stereo(Chem.MolFromSmiles("CC=CCl"), rng, 0)) for _ in range(20)
    }
    assert seen == {"C/C=C/Cl", "C/C=C\\Cl"}


def test_variations_are_whole_molecules():
    rng = np.random.default_rng(5)
    listed = smiles.real_molecules("train")
    made = 0
    for _ in range(60):
        left, right = (Chem.MolFromSmiles(listed[int(rng.integers(len(listed)))]) for _ in range(2))
        for mol in (smiles.substituted(left, rng), smiles.recombined(left, right, rng)):
            if mol is not None:
                made += 1
                assert Chem.MolFromSmiles(Chem.MolToSmiles(mol)) is not None
                assert len(Chem.GetMolFrags(mol)) == 1
    assert made > 60


def test_the_split_separates_compositions(samples):
    train, test = set(smiles.real_molecules("train")), set(smiles.real_molecules("test"))
    assert len(train) > 10_000
    assert len(test) > 400
    assert not any(map(smiles.is_held_out, train))
    assert all(map(smiles.is_held_out, test))
    assert not any(smiles.is_held_out(sample.text) for sample in samples)
    held_out = MoleculeEngine(split="test")
    assert all(smiles.is_held_out(held_out.sample(0, index).text) for index in range(5))
    assert smiles.is_held_out("CC[C@H](C)O") == smiles.is_held_out("CCC(C)O")


@pytest.mark.parametrize(
    "options",
    [{"split": "dev"}, {"variations": 1.5}, {"max_atoms": 2}, {"bonds": (30.0, 20.0)}],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InvalidOptionError, match=r"must lie|must be|outside"):
        MoleculeEngine(**options)


def test_limits_that_nothing_fits_are_an_error():
    with pytest.raises(GotOcr2Error, match="fits 40 pixels"):
        MoleculeEngine(max_side=40, bonds=(30.0, 40.0)).sample(0, 0)


def test_a_missing_rdkit_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(MissingDependencyError, match="synth"):
        MoleculeEngine().sample(0, 0)
