"""Hooks of the documentation's site, for mkdocs.

Pages of `docs/` show pictures and link to files that lie beside it (test sets, examples, sources). Such a picture is
taken into the site; such a link becomes the file's name. What leads nowhere is reported, so a strict build fails.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
LINK = re.compile(r"(!?)\[([^\]\n]*)\]\((\.\./[^)\s#]*)(#[^)\s]*)?\)")
TAKEN = "beside"  # folder of the site for pictures from elsewhere

log = logging.getLogger("mkdocs.hooks")


def outside(page: File, link: str) -> Path | None:
    """Where a page's link leads, below `ROOT`; None inside `docs/`."""
    target = Path(os.path.normpath(Path(str(page.abs_src_path)).parent / link))
    return None if target.is_relative_to(DOCS) else target.relative_to(ROOT)


def on_files(files: Files, *, config: Any) -> Files:
    """Takes the pictures into the site."""
    taken: set[str] = set()
    for page in list(files.documentation_pages()):
        for match in LINK.finditer(page.content_string):
            target = outside(page, match[3])
            if match[1] and target is not None and (ROOT / target).is_file():
                name = f"{TAKEN}/{target.as_posix()}"
                if name not in taken:
                    files.append(File.generated(config, name, abs_src_path=str(ROOT / target)))
                    taken.add(name)
    return files


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Leads a page's links to what the site holds."""

    def inside(match: re.Match[str]) -> str:
        picture, text, link, _anchor = match.groups()
        target = outside(page.file, link)
        if target is None:
            return match[0]
        if not (ROOT / target).exists():
            log.warning("%s links to %s, which does not exist.", page.file.src_uri, link)
        if picture:
            up = "../" * page.file.src_uri.count("/")
            return f"![{text}]({up}{TAKEN}/{target.as_posix()})"
        return f"{text} (`{target.as_posix()}`)"

    return LINK.sub(inside, markdown)
