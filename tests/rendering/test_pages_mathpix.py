"""Our tree beside mathpix-markdown-it, the renderer of the markup's inventors, where node has it.

npm install mathpix-markdown-it@2.0.40, then NODE_PATH=.../node_modules pytest -m slow tests/rendering
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from page_texts import FORMATTED, truths

from got_ocr2.rendering import parse_page
from got_ocr2.rendering.pages.tree import Display, Heading, Math, Reference, Table, Text, Title
from got_ocr2.rendering.pages.walk import nodes

SCRIPT = """
const {MathpixMarkdownModel: M} = require('mathpix-markdown-it');
let s = ''; process.stdin.on('data', d => s += d); process.stdin.on('end', () => {
  const options = {outMath: {include_mathml: false, include_svg: false, include_latex: true}};
  process.stdout.write(JSON.stringify(JSON.parse(s).map(t => M.render(t, options))));
});
"""


class Seen(HTMLParser):
    """Formulas, shapes of tables, headings and words of an HTML page."""

    def __init__(self) -> None:
        super().__init__()
        self.formulas: list[str] = []
        self.tables: list[list[list[tuple[int, int]]]] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self._open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag in {"br", "img", "hr", "meta"}:
            self.words.append("")
            return
        self._open.append(tag)
        given = dict(attrs)
        if tag == "latex":
            self.formulas.append("")
        elif tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append((int(given.get("colspan", 1)), int(given.get("rowspan", 1))))
        elif tag in {"h1", "h2", "h3"} and given.get("class") != "abstract_head":
            self.headings.append("")

    def handle_endtag(self, tag):
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data):
        if "latex" in self._open:
            self.formulas[-1] += data
            return
        if self.headings and self._open and self._open[-1] in {"h1", "h2", "h3"}:
            self.headings[-1] += data
        self.words.append(data)


_TYPOGRAPHY = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "..."})


def squeezed(text: str) -> str:
    """Without white space, and without the curled quotes and dashes that theirs makes of straight ones."""
    text = "".join(text.split()).translate(_TYPOGRAPHY)
    return re.sub("-+", "-", text)


def theirs(html: str) -> dict:
    seen = Seen()
    seen.feed(html)
    words = " ".join(seen.words)
    return {
        "formulas": sorted(squeezed(f) for f in seen.formulas),
        "tables": seen.tables,
        "headings": [squeezed(h) for h in seen.headings if h.strip()],
        "letters": squeezed(words).replace("Abstract", "").replace("•", ""),
    }


def ours(text: str) -> dict:
    found = list(nodes(parse_page(text)))
    formulas = [
        n.tex + (f"\\tag{{{n.tag}}}" if isinstance(n, Display) and n.tag else "")
        for n in found
        if isinstance(n, Math | Display)
    ]
    tables = [n for n in found if isinstance(n, Table)]
    words = "".join(
        n.text if isinstance(n, Text) else f"[{n.label}]" for n in found if isinstance(n, Text | Reference)
    )
    headings = [
        "".join(r.text for r in n.runs if isinstance(r, Text))
        for n in found
        if isinstance(n, Title | Heading)
    ]
    return {
        "formulas": sorted(map(squeezed, formulas)),
        "tables": [[[(c.columns, c.rows) for c in row.cells] for row in t.rows] for t in tables],
        "headings": [squeezed(h) for h in headings],
        "letters": squeezed(words).replace("Abstract", ""),
    }


def compare(texts: list[str]) -> dict[str, list[int]]:
    """For each sort of thing, the numbers of the texts where the two renderers differ."""
    done = subprocess.run(
        ["node", "-e", SCRIPT], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    pages = [theirs(html) for html in json.loads(done.stdout)]
    differ: dict[str, list[int]] = {"formulas": [], "tables": [], "headings": [], "letters": []}
    for number, (text, page) in enumerate(zip(texts, pages, strict=True)):
        own = ours(text)
        for name, numbers in differ.items():
            if own[name] != page[name] and not (
                name == "letters" and sorted(own[name]) == sorted(page[name])
            ):
                numbers.append(number)
    return differ


def _has_it() -> bool:
    return (
        shutil.which("node") is not None
        and not subprocess.run(
            ["node", "-e", "require('mathpix-markdown-it')"], capture_output=True
        ).returncode
    )


@pytest.mark.slow
def test_frozen_pages_are_what_mathpix_makes_of_them():
    if not _has_it():
        pytest.skip("node has no mathpix-markdown-it")
    texts = truths(*FORMATTED)[:60]
    differ = compare(texts)
    assert differ == {"formulas": [], "tables": [], "headings": [], "letters": []}
