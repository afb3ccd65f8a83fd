"""`**kern`: right scores pass untouched, broken ones are mended and said, and what is engraved has every note."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from got_ocr2.errors import InvalidOptionError, RenderError
from got_ocr2.rendering import process, render
from got_ocr2.rendering.music.check import check
from got_ocr2.rendering.music.write import PUBLISHED, pages
from got_ocr2.rendering.process import close_idle, run_apart
from got_ocr2.synth.music.engine import Engraving, engrave
from got_ocr2.synth.music.scores import ScoreOptions, random_score

SET = Path(__file__).parents[2] / "testsets" / "music" / "data.jsonl"
TRUTHS = [json.loads(line)["text"] for line in SET.read_text(encoding="utf-8").splitlines()]
LONG = (
    "**kern\t**kern\n*clefF4\t*clefG2\n*M4/4\t*M4/4\n"
    + "".join(f"={k}\t={k}\n2C 2E\t8cL\n.\t8d\n.\t8e\n.\t8fJ\n2F\t2g\n" for k in range(1, 80))
    + "==\t==\n*-\t*-\n"
)


def reasons(text):
    return [str(problem) for problem in check(text).problems]


def kern_notes(text):
    """Notes of a score, those of chords one by one."""
    tokens = [token for line in text.splitlines() if line[0] not in "*=!" for token in line.split("\t")]
    return [note for token in tokens for note in token.split(" ") if re.search("[a-gA-G]", note)]


def test_frozen_and_drawn_scores_pass_untouched():
    for truth in TRUTHS:
        score = check(truth)
        assert score.kern.rstrip("\n") == truth.rstrip("\n")
        assert score.problems == ()
    for seed in range(200):
        drawn = random_score(np.random.default_rng(seed), ScoreOptions())
        score = check(drawn.kern)
        assert (score.bars, score.problems) == (drawn.bars, ()), drawn.kern


@pytest.mark.parametrize("count", [3, pytest.param(500, marks=pytest.mark.slow)])
def test_engraved_scores_have_the_notes_and_bars_that_the_data_engine_draws(count):
    for seed in range(count):
        rng = np.random.default_rng(1000 + seed)
        score, look = random_score(rng, ScoreOptions()), Engraving.draw(rng, 0.0)
        theirs, _ = engrave(score, look)
        ours = render(score.kern, "svg", "music", strict=True).text
        for thing in (
            "measure",
            "note",
            "rest",
            "beam",
            "tie",
            "slur",
            "accid",
            "clef",
            "keySig",
            "meterSig",
        ):
            found = ours.count(f'class="{thing}"')
            if thing in {"clef", "keySig", "meterSig", "tie", "slur"}:  # again where a line of music breaks
                assert found >= theirs.count(f'class="{thing}"'), thing
            else:
                assert found == theirs.count(f'class="{thing}"'), thing


def test_midi_and_musicxml_have_every_note():
    truth = TRUTHS[0]
    midi = render(truth, "midi").data
    assert midi[:4] == b"MThd"
    data = render(truth, "musicxml")
    root = ET.fromstring(data.data)
    assert root.tag == "score-partwise"
    steps = [
        (pitch.findtext("step"), int(pitch.findtext("octave") or 0), int(float(pitch.findtext("alter") or 0)))
        for pitch in root.iter("pitch")
    ]
    assert sorted(steps) == sorted(map(kern_pitch, kern_notes(truth)))
    assert data.problems == ()
    assert "encoding-date" not in data.text
    assert render(truth, "musicxml").data == data.data


def test_notes_that_musicxml_loses_are_counted():
    reason = f"1 of {len(kern_notes(TRUTHS[5]))} notes are not in the MusicXML: music21 lost them"
    assert [problem.reason for problem in render(TRUTHS[5], "musicxml").problems] == [reason]
    with pytest.raises(RenderError, match="The MusicXML is not as it should be"):
        render(TRUTHS[5], "musicxml", strict=True)


def kern_pitch(note):
    letters = re.search("([a-gA-G])\\1*", note).group()
    octave = 3 + len(letters) if letters[0].islower() else 4 - len(letters)
    return letters[0].upper(), octave, note.count("#") - note.count("-")


def test_the_published_example_in_one_call():
    svg = render(TRUTHS[0], "svg", layout="published").text
    assert '<svg width="2100px" height="800px"' in svg
    assert 'overflow="visible"' in svg
    assert "inherit" not in svg
    assert set(PUBLISHED) == {
        "pageWidth", "pageHeight", "footer", "barLineWidth", "beamMaxSlope", "staffLineWidth", "spacingStaff",
    }  # fmt: skip


def test_several_pages():
    every = pages(LONG)
    whole = render(LONG, "svg").text
    assert len(every) > 1
    assert whole.count('class="measure"') == 79 == sum(one.count('class="measure"') for one in every)
    ET.fromstring(whole)
    second = render(LONG, "svg", page=2).text
    assert second.count('class="measure"') == every[1].count('class="measure"')
    with pytest.raises(RenderError, match=f"The score has pages 1 to {len(every)}, got 99"):
        render(LONG, "svg", page=99)
    with Image.open(io.BytesIO(render(LONG, "png", width=500).data)) as picture:
        assert picture.width == 500
        assert picture.height > 1000
        ink = np.asarray(picture.convert("L")) < 128
    thirds = [part.any() for part in np.array_split(ink, 3)]
    assert thirds == [True] * 3


@pytest.mark.parametrize(
    ("text", "kern", "said"),
    [
        ("**kern\n*clefG2\n4c\n4d", "**kern\n*clefG2\n4c\n4d\n*-\n",
         ["line 4: the score is cut: its spines do not end; their ends were added"]),
        ("**kern\t**kern\n*clefF4\t*clefG2\n4C\t4c\n4D\n", "**kern\t**kern\n*clefF4\t*clefG2\n4C\t4c\n*-\t*-\n",
         ["line 4: the last line is cut: 1 of 2 fields; it was left out",
          "line 4: the score is cut: its spines do not end; their ends were added"]),
        ("**kern\t**kern\n*clefF4\t*clefG2\n=1\n4C\t4c\n==\t==\n*-\n",
         "**kern\t**kern\n*clefF4\t*clefG2\n=1\t=1\n4C\t4c\n==\t==\n*-\t*-\n",
         ["line 3: the bar line stands in 1 of 2 spines; it was put into all of them",
          "line 6: the end stands in 1 of 2 spines; it was put into all of them"]),
        ("**kern\t**kern\n*clefF4 *clefG2\n4C\t4c\n*-\t*-\n", "**kern\t**kern\n*clefF4\t*clefG2\n4C\t4c\n*-\t*-\n",
         ["line 2: blanks part the spines; they were taken for tabs"]),
        ("Here it is:\n**kern\n*clefG2\n\n4c\n*-\nThe end", "**kern\n*clefG2\n4c\n*-\n",
         ["line 1: text before the score was left out", "line 4: an empty line was left out",
          "line 7: text after the end of the score was left out"]),
        ("**kern\t**kern\n*clefF4\t*clefG2\n4C\n4D\t4d\n*-\t*-",
         "**kern\t**kern\n*clefF4\t*clefG2\n4C\t.\n4D\t4d\n*-\t*-\n",
         ["line 3: 1 fields, but 2 spines; '.' was put into the last, which may be wrong",
          "line 3: bar 1 is not equally long everywhere: 2/4 in spine 1, 1/4 in spine 2"]),
        ("**kern\n*clefG2\n4c\n4hz\n4f#?\n!!!filter: transpose -t M2\n*-", "**kern\n*clefG2\n4c\n4r\n4f#?\n*-\n",
         ["line 4, column 1: '4hz' has no pitch; a rest was put in the place of its token",
          "line 6: a command to programs was left out"]),
        ("**kern\n4c\n*-", "**kern\n4c\n*-\n", ["line 2: spine 1 has no clef before its first note; one was guessed"]),
        ("**kern\n*clefH9\n*M3/0\n*k[q]\n4c\n*-", "**kern\n*\n*\n*\n4c\n*-\n",
         ["line 2: '*clefH9' is no clef; it was left out", "line 3: '*M3/0' is no metre; it was left out",
          "line 4: '*k[q]' is no key signature; it was left out",
          "line 5: spine 1 has no clef before its first note; one was guessed"]),
    ],
)  # fmt: skip
def test_what_is_mended_is_said(text, kern, said):
    score = check(text)
    assert score.kern == kern
    assert reasons(text) == said
    again = check(score.kern)
    assert again.kern == score.kern


@pytest.mark.parametrize(
    ("bars", "said"),
    [
        (["1c", "2.c", "1c", "1c"], ["bar 2 lasts 3/4, but its metre is 4/4"]),
        (["1c", "1c", "4c\n1c", "1c"], ["bar 3 lasts 5/4, but its metre is 4/4"]),
        (["4c", "1c", "2.c"], []),  # an upbeat and its rest
        (["1c", "2c", "2c"], ["bar 2 lasts 2/4, but its metre is 4/4"]),
        (["1c", "12c\n12d\n12e\n2.c"], []),
        (["1c", "2..c\n8cq\n8c"], []),
    ],
)
def test_bar_lengths(bars, said):
    text = "**kern\n*clefG2\n*M4/4\n" + "\n=\n".join(bars) + "\n==\n*-"
    assert [problem.reason for problem in check(text).problems] == said


def test_other_encodings():
    assert check("**ekern_1.0\n*clefG2\n4@c@#·L 4@e\n*-").kern == "**kern\n*clefG2\n4c#L 4e\n*-\n"
    assert check("**bekern<b>*clefG2<b>4·c<s>4·e<b>*-").kern == "**kern\n*clefG2\n4c 4e\n*-\n"


def test_spines_that_part_and_join():
    text = "**kern\n*clefG2\n*M4/4\n*^\n2c\t4e\n.\t4f\n2d\t2g\n*v\t*v\n=\n1c\n==\n*-\n"
    assert (check(text).kern, check(text).problems) == (text, ())
    assert reasons("**kern\n*clefG2\n*v\n4c\n*-") == ["line 3: *v joins no spine here; it was left out"]


def test_strict_and_wrong_arguments():
    with pytest.raises(RenderError, match="The score is not as it should be: line 2: spine 1 has no clef"):
        render("**kern\n4c\n*-", "svg", strict=True)
    with pytest.raises(RenderError, match=r"This is no score: no line of it begins with \*\*kern"):
        render("hello", "kern", "music")
    with pytest.raises(RenderError, match="The score has no notes"):
        render("**kern\n*clefG2\n*-", "svg")
    with pytest.raises(InvalidOptionError, match="The layout is one of tidy, published, got 'wide'"):
        render(TRUTHS[0], "svg", layout="wide")
    with pytest.raises(InvalidOptionError, match="no option 'pageWidht'"):
        render(TRUTHS[0], "svg", options={"pageWidht": 5})
    with pytest.raises(InvalidOptionError, match="16 to 10000 pixels wide, got 5"):
        render(TRUTHS[1], "png", width=5)


def test_hostile_scores_are_inert_and_bounded():
    text = "!!!OTL: <script>alert(1)</script>\n**kern\t**text\n*clefG2\t*\n4c\t<script>alert(2)</script>\n*-\t*-\n"
    svg = render(text, "svg").text
    assert "<script" not in svg
    ET.fromstring(svg)
    with pytest.raises(RenderError, match="at most 500,000 characters, got 10,000,007"):
        check("**kern\n" + "{" * 10_000_000)
    with pytest.raises(RenderError, match="at most 60 spines, got 70"):
        check("\t".join(["**kern"] * 70))
    with pytest.raises(RenderError, match="has no notes"):
        render("**kern\n" + "*^\n" * 50, "svg", "music")
    flood = check("**kern\n*clefG2\n" + "x\n" * 1000)
    assert len(flood.problems) == 201
    assert flood.problems[-1].reason == "801 more problems"


def test_a_library_that_dies_takes_nobody_along():
    """This score makes verovio abort its process; unchecked text never reaches it, and its process is not ours."""
    job = {"kern": "**kern\t**kern\n4c\n*-\t*-", "options": {}, "midi": True, "pages": None}
    with pytest.raises(
        RenderError, match="The score cannot be drawn: the program that draws it ended with code"
    ):
        run_apart("music.engraver:engrave", job, what="The score", seconds=60)
    with pytest.raises(RenderError, match=r"The score took longer than 0\.01 seconds to draw"):
        run_apart("music.engraver:engrave", job, what="The score", seconds=0.01)


def test_scores_one_after_another_share_a_process_and_do_not_suffer_from_one_another():
    close_idle()
    fine = {"kern": TRUTHS[0], "options": {}, "midi": True, "pages": None}
    deadly = {**fine, "kern": "**kern\t**kern\n4c\n*-\t*-"}
    first = run_apart("music.engraver:engrave", fine, what="The score", seconds=60)
    [child] = process._idle.values()
    assert run_apart("music.engraver:engrave", fine, what="The score", seconds=60) == first
    assert ([child], child.jobs) == (list(process._idle.values()), 2)
    with pytest.raises(RenderError, match="ended with code"):
        run_apart("music.engraver:engrave", deadly, what="The score", seconds=60)
    assert process._idle == {}
    assert run_apart("music.engraver:engrave", fine, what="The score", seconds=60) == first
    [child] = process._idle.values()
    child._process.kill()  # as if it had been idle for long
    child._process.wait()
    assert run_apart("music.engraver:engrave", fine, what="The score", seconds=60) == first
    close_idle()
    assert process._idle == {}


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("**kern\t\n4c=d.^v-*[]_ r#!MG2", max_size=12), max_size=12), st.integers(0, 400))
def test_any_text_is_checked_and_then_right(parts, cut):
    text = "**kern\t**kern\n*clefF4\t*clefG2\n" + TRUTHS[0][60:cut] + "\n" + "\n".join(parts)
    score = check(text)
    again = check(score.kern)
    assert again.kern == score.kern
    assert not [p for p in again.problems if "left out" in p.reason or "put" in p.reason], score.kern
