"""Which program sets a page as PDF, and what is said when it cannot."""

from __future__ import annotations

import pytest

from got_ocr2.errors import InvalidOptionError, MissingDependencyError, RenderError
from got_ocr2.rendering import render
from got_ocr2.rendering.pages import pdf, tex
from lazy_modules import lazy_module

lazy_module("weasyprint")
PAGE = "Costs \\$5 and \\( x^{2} \\)."


@pytest.fixture
def latex(monkeypatch):
    """Stands for an installed pdflatex: what it answers is set by the test, what it was asked is kept."""
    asked = []

    def answer(reply):
        def compiled(document):
            asked.append(document)
            if isinstance(reply, Exception):
                raise reply
            return reply

        monkeypatch.setattr(pdf, "has_pdflatex", lambda: True)
        monkeypatch.setattr(pdf, "compile_latex", compiled)
        return asked

    return answer


def test_pdflatex_sets_latin_pages_where_it_is(latex):
    asked = latex((b"%PDF-latex", None))
    done = render(PAGE, "pdf", "page")
    assert (done.data, done.problems) == (b"%PDF-latex", ())
    assert "\\( x^{2} \\)" in asked[0]
    for other in ("Добрый день", "你好", "<smiles>CCO</smiles>"):
        assert render(other, "pdf", "page").data.startswith(b"%PDF-1")
    assert render(PAGE, "pdf", "page", engine="html").data.startswith(b"%PDF-1")
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((b"%PDF-latex", "Undefined control sequence"), "pdflatex says: Undefined control sequence"),
        (RenderError("pdflatex made no PDF: it gave no reason."), "pdflatex made no PDF: it gave no reason"),
    ],
)
def test_what_pdflatex_cannot_set_is_set_by_weasyprint_and_said(latex, reply, said):
    latex(reply)
    done = render(PAGE, "pdf", "page")
    assert done.data.startswith(b"%PDF-1")
    assert [problem.reason for problem in done.problems] == [f"{said}; WeasyPrint set the page instead"]
    with pytest.raises(RenderError, match=said):
        render(PAGE, "pdf", "page", engine="latex", strict=True)


def test_asked_for_by_name(latex, monkeypatch):
    latex((b"%PDF-latex", "Overfull"))
    done = render(PAGE, "pdf", "page", engine="latex")
    assert (done.data, [p.reason for p in done.problems]) == (b"%PDF-latex", ["pdflatex says: Overfull"])
    monkeypatch.undo()
    monkeypatch.setattr(tex.shutil, "which", lambda _: None)
    with pytest.raises(MissingDependencyError, match="needs pdflatex"):
        render(PAGE, "pdf", "page", engine="latex")
    with pytest.raises(InvalidOptionError, match="auto, html or latex, got 'word'"):
        render(PAGE, "pdf", "page", engine="word")
