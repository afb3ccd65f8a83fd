"""Sheet music: scores load back into verovio, which counts the same bars, notes, signs, ties and slurs."""

from __future__ import annotations

import pickle
import re
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from xml.etree import ElementTree

import numpy as np
import pytest

from got_ocr2.errors import GotOcr2Error, InvalidOptionError, MissingDependencyError
from got_ocr2.synth.music import engine as music
from got_ocr2.synth.music import rhythm
from got_ocr2.synth.music.engine import Engraving, MusicEngine, engrave
from got_ocr2.synth.music.kern import key_alters, key_signature
from got_ocr2.synth.music.scores import Score, ScoreOptions, random_score

verovio = pytest.importorskip("verovio")

MEI = "{http://www.music-encoding.org/ns/mei}"
RICH = ScoreOptions(
    chords=0.2,
    accidentals=0.12,
    ties=0.15,
    slurs=0.15,
    ornaments=0.1,
    graces=0.06,
    second_voices=0.2,
    changes=0.15,
)
LOOK = Engraving("Leipzig", 40, 0.15, 0.2, 0.3, 0.25, 12, None)


@pytest.fixture(scope="module")
def samples():
    return [MusicEngine().sample(3, index) for index in range(20)]


def mei_of(score: Score) -> ElementTree.Element:
    """What verovio makes of the text."""
    toolkit = music._toolkit()
    toolkit.setOptions({"inputFrom": "humdrum"})
    assert toolkit.loadData(score.kern)
    return ElementTree.fromstring(toolkit.getMEI())


def pitch_counts(kern: str) -> Counter[tuple[str, int, int]]:
    """(letter, octave, alteration) of every note in the text, read without any of the writer's code."""
    found: Counter[tuple[str, int, int]] = Counter()
    for line in kern.splitlines():
        if line[0] in "*=":
            continue
        for letters, signs in re.findall(r"(?:^|[ \t])[(\[]*\d+\.*([a-g]+|[A-G]+)(##?|--?|n?)", line):
            octave = 3 + len(letters) if letters.islower() else 4 - len(letters)
            alter = signs.count("#") - signs.count("-")
            found[letters[0].lower(), octave, alter] += 1
    return found


def mei_pitch_counts(mei: ElementTree.Element) -> Counter[tuple[str, int, int]]:
    alters = {"s": 1, "ss": 2, "x": 2, "f": -1, "ff": -2, "n": 0}
    found: Counter[tuple[str, int, int]] = Counter()
    for note in mei.iter(f"{MEI}note"):
        accid = note.find(f"{MEI}accid")
        signs = note.attrib | (accid.attrib if accid is not None else {})
        sign = signs.get("accid", signs.get("accid.ges", "n"))
        found[note.attrib["pname"], int(note.attrib["oct"]), alters[sign]] += 1
    return found


@pytest.mark.parametrize("seed", range(24))
def test_scores_load_back_and_count_themselves(seed):
    score = random_score(np.random.default_rng(seed), RICH)
    svg, _ = engrave(score, LOOK)  # raises if the number of bars differs
    assert '"red"' not in svg, "verovio paints what it does not understand red"
    signs = len(re.findall(r'href="#E26[0-4]', svg))
    key_signs = len(re.findall(r'class="keyAccid">\s*<use xlink:href="#E26[0-4]', svg))
    assert signs - key_signs == score.accidentals

    mei = mei_of(score)
    assert len(list(mei.iter(f"{MEI}staffDef"))) >= score.staves
    assert mei_pitch_counts(mei) == pitch_counts(score.kern)
    notes = re.sub(r"^\*.*$", "", score.kern, flags=re.M)
    assert len(list(mei.iter(f"{MEI}slur"))) == notes.count("(") == notes.count(")")
    assert len(list(mei.iter(f"{MEI}tie"))) == notes.count("[") + notes.count("_")


@pytest.mark.parametrize("seed", range(40, 60))
def test_every_line_has_a_token_for_every_column(seed):
    score = random_score(np.random.default_rng(seed), RICH)
    columns = score.staves
    for line in score.kern.splitlines():
        tokens = line.split("\t")
        assert len(tokens) == columns
        assert all(tokens)
        columns += tokens.count("*^") - (tokens.count("*v") > 0)
    assert score.kern.count("\n=") == score.bars + 1  # each bar's opening line, and the last


@pytest.mark.parametrize("metre", rhythm.METRES)
def test_bars_are_full(metre):
    rng = np.random.default_rng(1)
    for busyness in range(5):
        for _ in range(20):
            values = [value for group in rhythm.fill_bar(metre, busyness, rng) for value in group]
            assert sum(map(rhythm.length, values)) == rhythm.bar_length(metre)
    if metre in rhythm.REST_OF_A_BAR:
        assert rhythm.length(rhythm.REST_OF_A_BAR[metre]) == rhythm.bar_length(metre)


def test_note_values():
    assert rhythm.length("4..") == Fraction(7, 16)
    assert 3 * rhythm.length("12") == rhythm.length("4")
    assert [rhythm.beam_levels(value) for value in ("2", "4.", "6", "8", "12", "16.", "24", "32")] == [
        *(0, 0, 0, 1, 1, 2, 2, 3)
    ]


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ("8 8", "L J"),
        ("8. 16", "L Jk"),
        ("16 8.", "LK J"),
        ("8 16 16", "L L JJ"),
        ("16 16 8", "LL J J"),
        ("16 8 16", "LK  Jk"),
        ("16 16 16 16", "LL   JJ"),
        ("8 4 8", "  "),
        ("8 32 32 16", "L LL J JJ"),
    ],
)
def test_beam_marks(values, marks):
    assert rhythm.beam_marks([rhythm.beam_levels(value) for value in values.split()]) == marks.split(" ")


def test_key_signatures():
    assert key_signature(0) == "*k[]"
    assert key_signature(3) == "*k[f#c#g#]"
    assert key_signature(-2) == "*k[b-e-]"
    assert key_alters(-2) == {6: -1, 2: -1}
    assert key_alters(0) == {}


def test_samples_are_varied_and_legible(samples):
    assert {sample.meta["staves"] for sample in samples} == {1, 2}
    assert any("title" in sample.meta for sample in samples)
    for sample in samples:
        assert sample.text.startswith("**kern")
        assert sample.text.endswith("*-")
        assert sample.task.format
        assert max(sample.image.size) <= 1800 + 12 * 12
        gray = np.asarray(sample.image.convert("L"))
        assert int(np.percentile(gray, 90)) - int(gray.min()) > 90


def test_same_seed_and_index_give_the_same_bytes(samples):
    again = pickle.loads(pickle.dumps(MusicEngine())).sample(3, 5)
    assert again.text == samples[5].text
    assert again.image.tobytes() == samples[5].image.tobytes()
    assert again.meta == samples[5].meta
    assert MusicEngine().sample(4, 5).text != samples[5].text


def test_a_faulty_score_is_an_error():
    text = "**kern\n*clefG2\n*M4/4\n=-\n1c\n=\n1c\n==\n*-"
    engrave(Score(text, 2, 1, 0), LOOK)
    with pytest.raises(GotOcr2Error, match="2 bars of a score of 3"):
        engrave(Score(text, 3, 1, 0), LOOK)


def test_music_may_break_into_systems():
    score = random_score(np.random.default_rng(0), ScoreOptions(bars=(8, 8)))
    one, several = (engrave(score, replace(LOOK, line_width=width)) for width in (None, 110))
    assert several[0].count('class="system"') > one[0].count('class="system"') == 1


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ScoreOptions(bars=(3, 2)), "3 to 2 bars"),
        (lambda: ScoreOptions(busyness=9), "busyness is 9"),
        (lambda: ScoreOptions(rests=2), "share of rests is 2"),
        (lambda: MusicEngine(split="dev"), "'dev'"),
        (lambda: MusicEngine(paper=-1), "share of paper is -1"),
        (lambda: MusicEngine(max_side=100), "100 pixels"),
    ],
)
def test_options_out_of_range_are_refused(make, words):
    with pytest.raises(InvalidOptionError, match=words):
        make()


def test_a_missing_verovio_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "verovio", None)
    music._toolkit.cache_clear()
    with pytest.raises(MissingDependencyError, match="synth"):
        MusicEngine().sample(0, 0)
