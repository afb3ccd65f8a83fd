"""`got-ocr2 read`: what each outcome of a page looks like from outside."""

from __future__ import annotations

import json

import jsonschema
import pytest
from PIL import Image, ImageDraw, ImageFont

import got_ocr2.generation.engine.row
from got_ocr2.results import json_schema
from make_pdf import make_pdf

LOOP = "Once, and then " + "over and over again, " * 40
CUT = "Once, and then over and over again,"


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch):
    for name in ("DEADLINE", "ON_LOOP"):
        monkeypatch.delenv(f"GOT_OCR2_{name}", raising=False)


@pytest.fixture
def slow_clock(monkeypatch):
    """Every look at the clock takes a second."""
    seconds = iter(range(10**6))
    monkeypatch.setattr(got_ocr2.generation.engine.row, "monotonic", lambda: float(next(seconds)))


# --- statuses and exit codes ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "options", "code", "status", "reason", "said"),
    [
        ("all of it", [], 0, "complete", "stop", ""),
        ("", [], 0, "empty", "stop", "no text was found"),
        ("all of it", ["--max-new-tokens", 3], 0, "truncated", "length", "at 3 tokens, not at its end (see --max-new"),
        (LOOP, [], 4, "looped", "looped", "began to repeat itself; "),
        (RuntimeError("boom"), [], 15, "failed", "error", "RuntimeError: boom"),
    ],
    ids=["complete", "empty", "truncated", "looped", "failed"],
)  # fmt: skip
def test_every_status_has_its_exit_code_and_its_sentence(
    cli, picture, answer, options, code, status, reason, said
):
    ran = cli("read", picture("a.png", 5, 4), "--json", *options, answer=lambda _: answer)
    result = json.loads(ran.out)
    jsonschema.validate(result, json_schema())
    assert (ran.code, result["status"], result["finish_reason"]) == (code, status, reason)
    assert said in ran.err
    assert ran.err.count("\n") == bool(said)


def test_a_deadline_ends_a_page_and_is_named(cli, picture, slow_clock):
    ran = cli("read", picture("a.png", 5, 4), "--deadline", 4.5, "--json", answer=lambda _: "a longer text")
    result = json.loads(ran.out)
    assert (ran.code, result["status"], result["finish_reason"]) == (0, "truncated", "deadline")
    assert 0 < len(result["text"]) < len("a longer text")
    assert f"at {result['tokens']} tokens, not at its end (see --deadline)" in ran.err


def test_a_loop_is_told_even_when_quiet_because_the_exit_code_is_not_0(cli, picture):
    ran = cli("read", picture("a.png", 5, 4), "-q", answer=lambda _: LOOP)
    assert (ran.code, ran.out, ran.err.count("\n")) == (4, CUT + "\n", 1)
    assert cli("read", picture("a.png", 5, 4), "-q", "--max-new-tokens", 2).err == ""


def test_a_loop_and_a_failure_are_several_things(cli, picture, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    ran = cli("read", picture("a.png", 5, 4), tmp_path / "broken.png", answer=lambda _: LOOP)
    assert (ran.code, ran.out, ran.err.count("\n")) == (15, CUT + "\n", 2)


def test_a_second_try_is_told_too(cli, picture):
    answers = iter([LOOP, "the tiles' text"])
    ran = cli(
        "read", picture("a.png", 5, 4), "--on-loop", "retry_cropped", answer=lambda _: next(answers),
        terminal=True,
    )  # fmt: skip
    assert (ran.code, ran.out) == (0, "the tiles' text\n")
    assert "the model repeated itself; the text is that of a second try (retry_cropped)" in ran.err
    ran = cli("read", picture("a.png", 5, 4), "--on-loop", "ignore", answer=lambda _: LOOP)
    assert (ran.code, ran.out, ran.err) == (0, LOOP + "\n", "")


def test_a_terminal_never_shows_the_copies(cli, picture):
    assert cli("read", picture("a.png", 5, 4), answer=lambda _: LOOP, terminal=True).out == CUT + "\n"


# --- drafts ---------------------------------------------------------------------------------------------


def test_a_draft_is_a_file_or_the_text_layer(cli, picture, tmp_path):
    text = "The same text on the page and in the draft."
    (tmp_path / "draft.txt").write_text("\ufeff" + text, encoding="utf-8")
    (tmp_path / "a.pdf").write_bytes(make_pdf(["The same text"]))
    source = picture("a.png", 5, 4)
    ran = cli("read", source, "--draft", tmp_path / "draft.txt", "--json", "-v", answer=lambda _: text)
    found = json.loads(ran.out)["speculation"]
    assert (found["agreement"], found["kept"]) == (1.0, found["drafted"])
    assert f"{found['kept']} of {found['drafted']} drafted tokens kept" in ran.err
    ran = cli("read", tmp_path / "a.pdf", "--draft", "pdf-text", "--json", answer=lambda _: "The same text")
    assert json.loads(ran.out)["speculation"]["agreement"] == 1.0
    ran = cli("read", source, "--speculate", "--json", answer=lambda _: "ab" * 30)
    assert json.loads(ran.out)["speculation"]["agreement"] is None
    ran = cli("read", source, "--json", answer=lambda _: text)
    assert json.loads(ran.out)["speculation"] is None


def test_drafts_that_cannot_be_used(cli, picture, tmp_path):
    source = picture("a.png", 5, 4)
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    for draft, code, message in (
        (tmp_path / "none.txt", 5, "none.txt cannot be read: No such file"),
        (tmp_path, 5, "cannot be read: Is a directory"),
        (tmp_path / "latin.txt", 2, "is not UTF-8 text"),
    ):
        ran = cli("read", source, "--draft", draft)
        assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
        assert message in ran.err
    (tmp_path / "one.txt").write_text("x")
    ran = cli("read", source, picture("b.png", 5, 4), "--draft", tmp_path / "one.txt")
    assert ran.code == 1
    assert "is about one document, got 2; --draft pdf-text and --draft lines are for any" in ran.err
    assert cli("read", source, picture("b.png", 5, 4), "--draft", "pdf-text").code == 0


# --- confidences and n-grams ----------------------------------------------------------------------------


def test_confidences_come_with_json(cli, picture):
    source = picture("a.png", 5, 4)
    ran = cli("read", source, "--json", "--confidence", "word")
    result = json.loads(ran.out)
    jsonschema.validate(result, json_schema())
    assert [word["text"] for word in result["words"]] == ["5x4"]
    assert result["characters"] is None
    ran = cli("read", source, "--confidence", "word")
    assert (ran.code, ran.out) == (1, "")
    assert "--confidence word is about JSON; it needs --json" in ran.err


def test_the_n_gram_of_the_original_demo(cli, picture, monkeypatch):
    from fake_ocr import FakeModel

    sizes = []
    requests = FakeModel.requests

    def spy(self, *, no_repeat_ngram_size=None, **given):
        sizes.append(no_repeat_ngram_size)
        return requests(self, no_repeat_ngram_size=no_repeat_ngram_size, **given)

    monkeypatch.setattr(FakeModel, "requests", spy)
    source = picture("a.png", 5, 4)
    for options in ([], ["--no-repeat-ngram", 7], ["--no-repeat-ngram", "original"],
                    ["--no-repeat-ngram", "original", "--crop"]):  # fmt: skip
        assert cli("read", source, *options).code == 0
    assert sizes == [None, 7, 20, 0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--deadline", "0"], "number above 0, got '0'"),
        (["--on-loop", "retry"], "on_loop must be one of 'stop', 'penalise', 'retry_cropped', 'ignore'"),
        (["--on-loop", "retry_cropped", "--crop"], "crop=True does so from the start"),
        (["--no-repeat-ngram", "-1"], "--no-repeat-ngram must be a whole number >= 0 or original, got '-1'"),
        (["--no-repeat-ngram", "some"], "--no-repeat-ngram must be a whole number >= 0 or original"),
        (["--confidence", "letter", "--json"], "confidence must be one of"),
        (["--draft", "pdf-text", "--no-speculate"], "no use with speculate=False"),
    ],
)
def test_nonsense_is_one_sentence_before_the_model_is_opened(cli, options, message):
    ran = cli("read", "a.png", *options)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert message in ran.err
    assert cli.opened == []


# --- lines for a model that reads pages -----------------------------------------------------------------


def test_boxes_and_drafts_of_lines(cli, tmp_path):
    page = Image.new("RGB", (460, 120), "white")
    ImageDraw.Draw(page).text((40, 40), "a line of print", fill="black", font=ImageFont.load_default(28))
    page.save(tmp_path / "page.png")

    def answer(pages):
        return "A line of print.\nNobody wrote this one." if pages[0].size == page.size else "a line of print"

    source = tmp_path / "page.png"
    ran = cli("read", source, "--boxes", "--json", "--draft", "lines", answer=answer)
    result = json.loads(ran.out)
    jsonschema.validate(result, json_schema())
    assert [line["unsupported"] for line in result["lines"]] == [False, True]
    assert result["lines"][0]["box"][0] == pytest.approx(42, abs=6)
    assert result["speculation"]["kept"] > 0
    assert (
        "1 of the text's 2 lines stand nowhere on the page, and 0 lines of the page are not in the text"
        in ran.err
    )
    assert "agreement 0.57" in ran.err
    assert not cli("read", source, "--boxes", "--json", "--quiet", answer=answer).err
    ran = cli("read", source, "--boxes", "--to", "hocr", answer=answer)
    assert ran.out.count('class="ocr_line"') == 1
    ran = cli("read", source, "--boxes", answer=answer)
    assert (ran.code, ran.out) == (1, "")
    assert "--boxes is about places, which text has not; it needs --json, or --to" in ran.err
