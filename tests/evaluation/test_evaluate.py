"""A data set read by a stand-in, scored, reported."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from got_ocr2.errors import FileAccessError, InputError, InvalidOptionError, MissingDependencyError
from got_ocr2.evaluation import Dataset, Elements, Page, Ratio, Scoring, evaluate, score, write_report
from got_ocr2.evaluation.metrics.facts import Fact
from got_ocr2.evaluation.report import prediction_path, to_dict, worst_readings
from got_ocr2.evaluation.scoring import METRICS, badness
from got_ocr2.results import DocumentResult, PageError, PageResult
from got_ocr2.synth.sample import Task


class Reader:
    """Answers by file name and keeps what it was asked."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = []

    def read(self, source, **options):
        self.asked.append((source, options))
        answer = self.answers[Path(source[0] if isinstance(source, list) else source).stem]
        if isinstance(answer, Exception):
            raise answer
        return answer if not isinstance(answer, str) else PageResult(answer, "complete", "stop", tokens=4)


@pytest.fixture
def pages(tmp_path):
    """Three pages of two kinds with pictures wider than high."""
    made = []
    for name, kind, text in (("a", "text", "one two"), ("b", "text", "three"), ("c", "formula", "x^2")):
        Image.new("RGB", (1300, 40), "white").save(tmp_path / f"{name}.png")
        task = Task(format=kind == "formula")
        made.append(Page(name, kind, kind, (tmp_path / f"{name}.png",), text, task))
    return made


def dataset(pages, layout="pairs", **rest):
    return Dataset("Set", layout, Path("set"), tuple(pages), **rest)


def test_totals_and_groups(pages):
    reader = Reader(a="one too", b="three", c="x^{2}")
    found = evaluate(reader, dataset(pages), model="M")
    summary = found.summary()
    assert list(summary) == ["text", "formula", "all"]
    assert summary["text"]["cer"].value == pytest.approx(1 / 12)
    assert summary["text"]["wer"].value == pytest.approx(1 / 3)
    assert summary["text"]["edit_distance"].value == pytest.approx((1 / 7 + 0) / 2)
    assert summary["text"]["exact"].value == 0.5
    assert "formula_match" not in summary["text"]
    assert summary["formula"]["formula_match"].value == 1
    assert summary["all"]["cer"].value == pytest.approx(3 / 15)
    assert summary["all"]["cer"].pages == 3
    assert [r.tokens for r in found.readings] == [4, 4, 4]
    assert [options for _, options in reader.asked] == [{}, {}, {"format": True}]
    assert not found.failed
    assert found.machine["cores"] >= 1


def test_what_is_asked_follows_the_task(pages):
    a, b, c = pages
    many = replace(a, id="m", files=(*a.files, *b.files), task=Task(multi_page=True, crop_to_patches=True))
    boxed = replace(b, task=Task(box=(1, 2, 3, 4)), number=3)
    framed = replace(c, task=Task(color="red", format=True))
    reader = Reader(a="", b="", c="")
    evaluate(reader, dataset([many, boxed, framed]), max_new_tokens=9)
    assert [options for _, options in reader.asked] == [
        {"multi_page": True, "crop": True, "max_new_tokens": 9},
        {"box": (1, 2, 3, 4), "pages": "3", "max_new_tokens": 9},
        {"format": True, "color": "red", "max_new_tokens": 9},
    ]
    assert reader.asked[0][0] == [*a.files, *b.files]
    evaluate(reader, dataset([many, boxed]), crop=False)
    assert [options.get("crop") for _, options in reader.asked[3:]] == [None, None]
    evaluate(reader, dataset([boxed]), crop=True, limit=1)
    assert reader.asked[-1][1]["crop"] is True


def test_a_page_that_fails_counts_as_empty_and_the_others_are_read(pages):
    error = PageError("InputError", "It is torn.", 2)
    failed = PageResult("", "failed", "error", error=error)
    reader = Reader(a=InputError("It is wet."), b=DocumentResult("b", (failed,)), c="x^2")
    seen = []
    found = evaluate(reader, dataset(pages), progress=seen.append)
    assert [r.error for r in found.readings] == ["It is wet.", "It is torn.", None]
    assert len(found.failed) == 2
    assert seen == list(found.readings)
    assert found.summary()["text"]["cer"].value == 1
    with pytest.raises(MissingDependencyError):
        evaluate(Reader(a=MissingDependencyError("no torch")), dataset(pages))


def test_limits(pages):
    assert len(evaluate(Reader(a="x"), dataset(pages), limit=1).readings) == 1
    with pytest.raises(InvalidOptionError, match="limit is 0"):
        evaluate(Reader(), dataset(pages), limit=0)


def test_each_kind_has_its_metrics():
    def of(kind, written, text, **task):
        return score(Page("p", kind, kind, (), text, Task(**task)), written)

    assert of("table", r"\begin{tabular}{l}a\end{tabular}", "<table><tr><td>a</td></tr></table>")["teds"] == (
        1,
        1,
    )
    assert of("table", "a", "<table><tr><td>a</td></tr></table>")["teds"] == (0, 1)
    assert of("molecule", "OC", "CO")["smiles_match"].rate == 1
    assert of("music", "4c\t4d", "4c\t4e")["ser"] == (1, 3)
    assert of("chart", "{'a': 1}", '{"a": 1}')["ap_strict"].rate == 1
    page = of("page", r"T \[x\] \[z\]", r"T \[x\] \[y\] \begin{tabular}{l}a\end{tabular}", format=True)
    assert page["formula_match"] == (1, 2)
    assert page["teds"] == (0, 1)
    assert "teds" not in of("page", "a", r"\begin{tabular}{l}a\end{tabular}")
    blank = of("negative", "made up", "")
    assert blank["cer"] == (7, 0)
    assert blank["exact"] == (0, 1)


def test_the_released_script_s_way():
    page = Page("p", "text", "text", (), "a b c d", Task())
    ours, theirs = score(page, "a b x"), score(page, "a b x", Scoring(released=True))
    assert theirs["precision"] == ours["recall"] != ours["precision"]
    empty = score(page, "", Scoring(released=True))
    assert "f1" not in empty
    assert empty["cer"] == (7, 7)


def test_formatted_parts_of_the_paper(monkeypatch):
    monkeypatch.setattr("got_ocr2.evaluation.metrics.text.meteor", lambda *_: 0.25)
    page = Page("p", "page", "page", (), r"T \(a b\) \begin{tabular}{l} c \end{tabular}", Task(format=True))
    scores = score(page, r"T \(a x\)", Scoring(paper=True))
    assert scores["formula.f1"].rate == 0.5
    assert scores["table.edit_distance"].rate == 1
    assert scores["meteor"].rate == 0.25
    assert set(scores) <= set(METRICS)
    released = score(page, r"T \(a x\)", Scoring(paper=True, released=True))
    assert "table.f1" not in released, "a side is empty"


def test_a_formatted_page_without_tables_is_no_perfect_table(monkeypatch):
    monkeypatch.setattr("got_ocr2.evaluation.metrics.text.meteor", lambda *_: 1.0)
    page = Page("p", "page", "page", (), "Words only.", Task(format=True))
    assert "table.f1" not in score(page, "Words only.", Scoring(paper=True))
    invented = score(page, r"\begin{tabular}{l} c \end{tabular}", Scoring(paper=True))
    assert invented["table.f1"].rate == 0


def test_plain_text_needs_no_extra_and_tables_say_which(pages, monkeypatch):
    def refuse(name):
        raise ImportError(name)

    monkeypatch.setattr("got_ocr2.extras.import_module", refuse)
    found = evaluate(Reader(a="one", b="three"), dataset(pages[:2]))
    assert found.summary()["text"]["cer"].value == pytest.approx(4 / 12)
    table = Page("t", "table", "table", pages[0].files, r"\begin{tabular}{l}a\end{tabular}", Task())
    with pytest.raises(MissingDependencyError, match=r"TEDS needs the package apted.*got-ocr2\[eval\]"):
        evaluate(Reader(a=table.text), dataset([table]))


def test_omnidocbench_pages():
    truth = Elements(
        ("First words here", "Second block there"), ("x^2", "y"), ("<table><tr><td>1</td></tr></table>",)
    )
    page = Page("p", "document", "english", (), None, Task(format=True), elements=truth)
    good = r"\title{First words here} Second block there \[y\] \[x^{2}\] \begin{tabular}{l}1\end{tabular}"
    scores = score(page, good)
    assert {name: ratio.rate for name, ratio in scores.items()} == {
        "text_edit": 0, "order_edit": 0, "formula_edit": 0, "formula_match": 1, "teds": 1, "teds_structure": 1,
    }  # fmt: skip
    swapped = score(page, "Second block there. First words here.")
    assert swapped["order_edit"].rate == 1
    assert swapped["formula_match"] == (0, 2)
    assert badness(score(page, "")) == 1
    assert badness(scores) == 0


def test_olmocr_scores(pages):
    a, b, c = (replace(p, text=None, group=g) for p, g in zip(pages, ("math", "math", "old"), strict=True))
    present = [Fact(f"f{i}", "x", 1, "present", 0, {"text": t}) for i, t in enumerate(("one", "two", "x"))]
    base = Fact("b", "x", 1, "baseline")
    found = evaluate(
        Reader(a="one", b="none", c="x"),
        dataset([
            replace(a, facts=(present[0], base)), replace(b, facts=(present[1],)), replace(c, facts=(present[2],)),
        ], "olmocr"),
    )  # fmt: skip
    summary = found.summary()
    assert summary["math"]["facts"].value == 0.5
    assert summary["old"]["facts"].value == 1
    assert found.olmocr_score().value == pytest.approx((0.5 + 1 + 1) / 3)
    assert evaluate(Reader(a=""), dataset(pages), limit=1).olmocr_score() is None


def test_the_report(pages, tmp_path):
    pages[0] = replace(pages[0], id="deep/../a:b", text="one ``` two")
    reader = Reader(a="one ``` too", b=InputError("It is wet."), c="x^2")
    found = evaluate(reader, dataset(pages, notes=("Mind the gap.",)), model="Model")
    path = write_report(found, tmp_path / "out", worst=5)
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# Model on Set\n\n3 pages in ")
    assert "1 failed" in text
    assert "> Mind the gap." in text
    assert "> It is wet." in text
    assert "````text\none ``` too\n````" in text
    assert text.index("### b") < text.index("### deep/../a:b"), "the worst first"
    assert "### c" not in text, "nothing was wrong with it"
    with Image.open(tmp_path / "out/worst/01.png") as image:
        assert image.size == (1000, 31)
    assert (tmp_path / "out/predictions/deep/a_b.md").read_text(encoding="utf-8") == "one ``` too"
    data = json.loads((tmp_path / "out/report.json").read_text(encoding="utf-8"))
    assert data == to_dict(found)
    assert data["groups"]["text"]["cer"]["pages"] == 2
    assert data["readings"][1]["error"] == "It is wet."
    assert data["readings"][2]["scores"]["formula_match"] == [1, 1]
    with pytest.raises(FileAccessError, match="holds a report already"):
        write_report(found, tmp_path / "out")
    write_report(found, tmp_path / "out", force=True)
    (tmp_path / "file").touch()
    with pytest.raises(FileAccessError, match="cannot be written"):
        write_report(found, tmp_path / "file")


def test_predictions_have_the_names_the_benchmarks_ask_for(pages):
    page = replace(pages[0], id="old_scans/12_letter_pg1", facts=(Fact("b", "x", 1, "baseline"),), text=None)
    found = evaluate(Reader(a=""), dataset([page], "olmocr"))
    assert (
        prediction_path(found, found.readings[0]).as_posix()
        == "predictions/old_scans/12_letter_pg1_repeat1.md"
    )


def test_a_total_without_weight_is_none_in_json(pages):
    found = evaluate(Reader(a="made up"), dataset([replace(pages[0], text="")]))
    data = to_dict(found)
    assert data["groups"]["text"]["cer"]["value"] is None
    json.dumps(data, allow_nan=False)
    assert worst_readings(found, 3) == list(found.readings)
    assert found.readings[0].scores["cer"] == Ratio(7, 0)
