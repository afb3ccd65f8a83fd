"""No text is too broken to be parsed, and none acts: whatever the model writes, files show it and do nothing."""

from __future__ import annotations

import csv
import io
import random
import re
import shutil
import time
import zipfile
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_texts import FORMATTED, PIECES, broken, truths

from got_ocr2.errors import RenderError
from got_ocr2.rendering import parse_page, render
from got_ocr2.rendering.pages.latex import document as latex

TEXTS = truths(*FORMATTED)
WRITTEN = ("md", "html", "latex", "txt", "json")


def check(text: str) -> None:
    page = parse_page(text)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
    for problem in page.problems:
        assert 1 <= problem.line <= lines
        assert problem.reason
    for block in page.blocks:
        assert 0 <= block.span[0] <= block.span[1] <= len(text)


@settings(deadline=None, max_examples=100)
@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=40).map("".join)))
def test_any_string_is_parsed_and_written(text):
    check(text)
    for to in WRITTEN:
        render(text, to, "page")


def test_broken_outputs_are_parsed_and_written():
    rng = random.Random(7)
    for n in range(200):
        text = broken(rng, TEXTS)
        check(text)
        render(text, WRITTEN[n % len(WRITTEN)], "page")


def test_broken_outputs_make_documents():
    pytest.importorskip("docx")
    rng = random.Random(8)
    for _ in range(6):
        data = render(broken(rng, TEXTS), "docx", "page").data
        ElementTree.fromstring(zipfile.ZipFile(io.BytesIO(data)).read("word/document.xml"))


@pytest.mark.slow
def test_a_hundred_thousand_broken_outputs():
    rng = random.Random(9)
    for _ in range(100_000):
        check(broken(rng, TEXTS))


REPEATED = [
    "{", "}", "\\(", "\\[", "$a", "**", "`", "&", "\\begin{tabular}{l}\n", "\\begin{itemize}\\item ", "<b>", "<td>", 
    "|a|\n",
    "- a\n", "\\textbf{", "\\footnote{", "\\title{", "{&", "\\begin{tabular}{l}\\multicolumn{2}{c}{", "[a](", "\\'{",
]  # fmt: skip


@pytest.mark.parametrize("piece", REPEATED)
def test_work_grows_with_the_length(piece):
    """Twice the text takes about twice the work, measured in lines of Python that run."""
    counts = [_work(piece * (n // len(piece))) for n in (1500, 6000)]
    assert counts[1] < 7 * counts[0] + 20_000


def _work(text: str) -> int:
    import sys

    count = 0

    def trace(frame, event, arg):
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()  # coverage's own, which has to come back
    sys.settrace(trace)
    try:
        parse_page(text)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.slow
def test_ten_megabytes_of_braces_end():
    start = time.monotonic()
    page = parse_page("{" * 10_000_000)
    assert page.problems
    assert time.monotonic() - start < 300


HOSTILE = r"""\input{/etc/passwd} \write18{touch x} \immediate\write18{id} \catcode`\@=11 \csname input\endcsname{x}

\( \input{/etc/passwd} \) \( ^^5cinput{/etc/passwd} \) \( \def\a{\a\a}\a \) \[ \text{<script>alert(1)</script>} \]

\[ \text{</math><img src=x onerror=alert(1)>} \href{javascript:alert(1)}{x} \]

<script>alert(1)</script> <img src=x onerror=alert(1)> <svg onload=alert(1)> <a href="javascript:alert(1)">x</a>

[x](javascript:alert(1)) \href{javascript:alert(1)}{y} \url{javascript:alert(1)} ![x](http://example.org/p.png)

\includegraphics{/etc/passwd}

```
\end{verbatim}\input{/etc/passwd}
```

\footnotetext{
```
\input{/etc/passwd}
```
}

<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]> &b;

| =HYPERLINK("http://x") | +1+cmd |
|---|---|
| @SUM(A1) | -2+3 |
| -5 | 1e3 |
"""


def test_hostile_html_is_inert():
    html = render(HOSTILE, "html", "page").text
    body = html[html.index("<main>") :]
    tags = {tag.lower() for tag in re.findall(r"<([A-Za-z][A-Za-z0-9]*)", body)}
    assert not tags & {"script", "img", "svg", "iframe", "object", "a", "style", "link"}
    assert not re.search(r"<[^>]*\son\w+\s*=", body)
    assert 'href="javascript' not in html.lower()
    assert "default-src 'none'" in html


def test_hostile_latex_is_inert():
    tex = render(HOSTILE, "latex", "page").text
    body = tex[tex.index("\\begin{document}") :]
    outside = re.sub(r"\\begin\{verbatim\}.*?\\end\{verbatim\}", "", body, flags=re.DOTALL)
    known = set(re.findall(r"\\([A-Za-z]+)", latex(parse_page(HOSTILE))))
    assert not known & {"immediate", "catcode", "csname", "def", "includegraphics"}
    assert not re.search(r"\\(input|write|href|url)\b", outside)
    assert "^^" not in outside


def test_hostile_cells_are_text():
    rows = list(csv.reader(io.StringIO(render(HOSTILE, "csv", "page").text)))
    assert rows == [['\'=HYPERLINK("http://x")', "'+1+cmd"], ["'@SUM(A1)", "'-2+3"], ["-5", "1e3"]]
    openpyxl = pytest.importorskip("openpyxl")
    sheet = openpyxl.load_workbook(io.BytesIO(render(HOSTILE, "xlsx", "page").data)).active
    assert {cell.data_type for row in sheet["A1:B2"] for cell in row} == {"s"}
    assert (sheet["A3"].value, sheet["B3"].value) == (-5, 1000)


def test_hostile_documents_have_no_way_out():
    pytest.importorskip("docx")
    archive = zipfile.ZipFile(io.BytesIO(render(HOSTILE, "docx", "page").data))
    relations = archive.read("word/_rels/document.xml.rels").decode()
    assert "javascript" not in relations
    assert 'TargetMode="External"' not in relations
    assert b"instrText" not in archive.read("word/document.xml")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_hostile_text_in_pdflatex_reads_no_file():
    pytest.importorskip("pypdfium2")
    import pypdfium2

    done = render(HOSTILE, "pdf", "page", engine="latex")
    said = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(done.data))
    assert "root:x:0" not in said


def test_strict_raises_with_place_and_reason():
    with pytest.raises(RenderError, match=r"line 2, column 3: the brace \{ has no partner"):
        render("fine\na {b", "md", "page", strict=True)
    assert [str(p) for p in render("fine\na {b", "md", "page").problems] == [
        "line 2, column 3: the brace { has no partner"
    ]
