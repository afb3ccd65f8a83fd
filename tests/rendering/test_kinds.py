"""Which kind a text is: every truth of the frozen test sets, prose, and words that are SMILES strings too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from got_ocr2.rendering.kinds import kind_of

SETS = Path(__file__).parents[2] / "testsets"
FIGURES = {"music", "molecule", "geometry", "chart"}
RECORDS = [
    json.loads(line)
    for path in sorted(SETS.glob("*/data.jsonl"))
    for line in path.read_text(encoding="utf-8").splitlines()
]


def test_every_frozen_truth():
    wrong = [
        record["id"]
        for record in RECORDS
        if kind_of(record["text"]) != (record["kind"] if record["kind"] in FIGURES else "page")
    ]
    assert len(RECORDS) > 300
    assert not wrong


def test_no_word_line_or_paragraph_of_prose_is_a_figure():
    words = {word for record in RECORDS if record["kind"] not in FIGURES for word in record["text"].split()}
    lines = {
        line for record in RECORDS if record["kind"] not in FIGURES for line in record["text"].splitlines()
    }
    assert len(words) > 4000
    assert [text for text in sorted(words | lines) if kind_of(text) != "page"] == []


@pytest.mark.parametrize(
    "word",
    ["CO", "NO", "I", "ICON", "CO-OP", "P=NP", "CCCP", "CCO", "BIOS", "ICON(S)", "COP(S)", "B2B", "C1", "N=10", "(I)",
     "[C]", "[12]", "c", "scoop", "CNN", "C:\\", "P.S.", "C.I.O.", "", " ", "\n", "PIN", "C#", "F#", "O(n)"],
)  # fmt: skip
def test_words_that_could_be_molecules(word):
    assert kind_of(word) == "page"


@pytest.mark.parametrize(
    "smiles",
    ["c1ccccc1", "CC(=O)O", "CC(C)(C)O", "[Na+].[Cl-]", "CCCCCC", "N[C@@H](C)C(=O)O", "C1CCCCC1(C)", "CC#CC",
     "<smiles>CO</smiles>", "<smiles>CO", "CC(=O)Oc1ccccc1C(=O)O\n", "CC(=O)Oc1ccccc1C(=O"],
)  # fmt: skip
def test_molecules(smiles):
    assert kind_of(smiles) == "molecule"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("**kern\t**kern\n*clefF4\t*clefG2\n", "music"),
        ("!!!OTL: Air\n**ekern_1.0\n4c", "music"),
        ("The **kern** of it", "page"),
        ("**kern** is a format", "page"),
        ("\\documentclass{standalone}\n\\begin{document}\n\\begin{tikzpicture}\n\\draw (0,0);", "geometry"),
        ("\\draw (0,0) -- (1,1);", "geometry"),
        ("A figure:\n\\begin{tikzpicture}\n\\end{tikzpicture}", "page"),
        ("{'title': 'a', 'values': {", "chart"),
        ('{"a", "b"}', "page"),
        ("{ a: 1 }", "page"),
    ],
)
def test_other_figures(text, kind):
    assert kind_of(text) == kind
