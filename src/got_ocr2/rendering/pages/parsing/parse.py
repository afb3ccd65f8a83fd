"""`parse_page`: the markup that GOT writes for a page, as a tree.

The published weights write Mathpix markdown in LaTeX dress (`\\title`, `\\section*`, `\\( \\)`, `\\[ \\]`, `tabular`).
People hand over neighbouring dialects too, so Markdown headings, lists, pipes and emphasis, HTML tables and whole LaTeX
documents are understood by the same parser. What is not understood stays text and is listed in `Page.problems`.
"""

from __future__ import annotations

import re

from ..tree import Page, Paragraph, Text
from .blocks import parse_blocks, plain_blocks
from .source import Source

MOST_CHARACTERS = 300_000  # that are parsed; GOT's longest output, 8,192 tokens, is some 40,000

_PREAMBLE = re.compile(r"\s*(?:%[^\n]*\n\s*)*\\documentclass\b")
_FRONT = re.compile(r"\\(?:title|author)\b[ \t]*(?=\{)")
_DOCUMENT = re.compile(r"\\begin[ \t]*\{document\}")


def parse_page(text: str, *, plain: bool = False) -> Page:
    """Parses a page; never raises, whatever the text.

    Args:
        text: what the model wrote. Of more than `MOST_CHARACTERS`, the rest is kept as one paragraph.
        plain: the text is no markup, as the model writes it without `format`: only paragraphs and lines are told
            apart, and no sign means anything.

    Returns:
        The tree. Time and memory grow with the length of the text, not with how it is nested.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if plain:
        return Page(plain_blocks(text))
    head, rest = text[:MOST_CHARACTERS], text[MOST_CHARACTERS:]
    source = Source(head)
    start, blocks = 0, ()
    if _PREAMBLE.match(head) is not None and (body := _DOCUMENT.search(head)) is not None:
        start = body.start()
        for match in _FRONT.finditer(head, 0, start):
            close = source.braces.get(match.end(), start)
            blocks += parse_blocks(source, match.start(), close + 1) if close < start else ()
    blocks += parse_blocks(source, start, len(head))
    if rest:
        source.problem(len(head) - 1, f"what follows {MOST_CHARACTERS:,} characters is not parsed")
        blocks += (Paragraph((Text(rest.replace("\n", " ")),), span=(len(head), len(text))),)
    return Page(blocks, source.problems)
