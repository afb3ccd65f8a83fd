"""The layouts of three public benchmarks, as their authors publish them.

- Fox (arXiv 2405.14295), `focus_benchmark_test.zip`: `{en,cn}_{page,box,line,onbox}_ocr.json` beside the
  folders `{en,cn}_pdf_png` and `{en,cn}_pdf_png_onbox`; each JSON is a list of
  `{"image", "conversations": [{"value": question}, {"value": answer}]}`.
- OmniDocBench (arXiv 2412.07626): `OmniDocBench.json`, a list of pages with `layout_dets` and `page_info`,
  beside `images/`.
- olmOCR-bench (arXiv 2502.18443): `bench_data/*.jsonl`, one fact a line, about the files in
  `bench_data/pdfs/`.

Fox's questions that ask for something else than text (summary, translation, captions, questions across
pages) and its eight-page box task are not read: GOT has no such mode.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from PIL import Image

from ..errors import FileAccessError, InputError
from ..synth.sample import Task
from .dataset_files import json_lines, read_text
from .metrics.facts import Fact, fact_from
from .pages import Dataset, Elements, Page

_FOX_TASKS = ("page", "line", "box", "onbox")
_FOX_NUMBERS = re.compile(r"\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]")
_FOX_COLORS = re.compile(r"\b(red|green|blue)\b", re.IGNORECASE)

# Kinds of blocks whose text belongs to the reading order; running heads, page numbers and masks do not.
_TEXT_BLOCKS = frozenset(
    {
        "title",
        "text_block",
        "list_group",
        "reference",
        "figure_caption",
        "figure_footnote",
        "table_caption",
        "table_footnote",
        "equation_caption",
        "equation_explanation",
        "code_txt",
        "code_txt_caption",
    }
)


def load_fox(folder: Path) -> Dataset:
    """Fox's tasks that ask for text: pages, and regions given by a line, a box or a coloured frame.

    Boxes are given per mille of the picture in its questions and turned into pixels here. A group is a file,
    such as `en_box_ocr`.

    Raises:
        InputError: a question names no box or no colour where its task needs one.
        FileAccessError: no picture is found.
    """
    root = folder / "focus_benchmark_test" if (folder / "focus_benchmark_test").is_dir() else folder
    pages: list[Page] = []
    for task in _FOX_TASKS:
        for language in ("en", "cn"):
            path = root / f"{language}_{task}_ocr.json"
            if not path.is_file():
                continue
            for index, entry in enumerate(_json_list(path)):
                where = f"{path} entry {index}"
                try:
                    name, (question, answer) = entry["image"], entry["conversations"][:2]
                    picture = _fox_picture(root, name, language, framed=task == "onbox")
                    asked = _fox_task(task, question["value"], picture, where)
                    identity = f"{path.stem}/{index:04d}"
                    meta = {"image": name, "question": question["value"]}
                    pages.append(
                        Page(identity, "text", path.stem, (picture,), answer["value"], asked, meta=meta)
                    )
                except (KeyError, TypeError, ValueError) as e:
                    if isinstance(e, InputError):
                        raise
                    raise InputError(f"{where} is no Fox sample: {type(e).__name__} {e}.") from e
    return Dataset("Fox", "fox", folder, tuple(pages))


def _fox_picture(root: Path, name: str, language: str, *, framed: bool) -> Path:
    """Where a picture lies. The published list pairs the line tasks with the other language's folder, so the
    picture's own name (`en_12.png`) is asked first."""
    suffix = "_pdf_png_onbox" if framed else "_pdf_png"
    spoken = name[:2] if name[:2] in ("en", "cn") else language
    tried = [root / f"{lang}{suffix}" / name for lang in dict.fromkeys((spoken, language, "en", "cn"))]
    for path in tried:
        if path.is_file():
            return path
    raise FileAccessError(f"The picture {name} of Fox is missing; it should be {tried[0]}.")


def _fox_task(task: str, question: str, picture: Path, where: str) -> Task:
    if task == "page":
        return Task()
    if task == "onbox":
        color = _FOX_COLORS.search(question)
        if color is None:
            raise InputError(f"{where} names no frame colour (red, green or blue): {question!r}.")
        return Task(color=color[1].lower())
    numbers = _FOX_NUMBERS.search(question)
    if numbers is None:
        raise InputError(f"{where} names no box [x1, y1, x2, y2]: {question!r}.")
    with Image.open(picture) as image:
        width, height = image.size
    x1, y1, x2, y2 = (min(1000, int(v)) for v in numbers.groups())
    # The middle of each per-mille step, so that the model is asked with the very numbers Fox gives.
    x1, x2 = ((v + 0.5) / 1000 * width for v in (x1, x2))
    y1, y2 = ((v + 0.5) / 1000 * height for v in (y1, y2))
    return Task(box=(x1, y1, min(x2, width), min(y2, height)))


def load_omnidocbench(folder: Path) -> Dataset:
    """OmniDocBench's pages, read with formatting; a group is a language.

    Raises:
        InputError: a page is not what its authors describe.
    """
    path = folder / "OmniDocBench.json"
    pages: list[Page] = []
    for index, entry in enumerate(_json_list(path)):
        where = f"{path} page {index}"
        try:
            info = entry["page_info"]
            file = folder / "images" / Path(info["image_path"]).name
            attributes = info.get("page_attribute") or {}
            elements = _elements(entry["layout_dets"])
        except (KeyError, TypeError) as e:
            raise InputError(f"{where} is no OmniDocBench page: {type(e).__name__} {e}.") from e
        group = str(attributes.get("language", "unknown"))
        task = Task(format=True)
        pages.append(
            Page(file.stem, "document", group, (file,), None, task, elements=elements, meta=attributes)
        )
    notes = (
        "Scores are ours, after OmniDocBench's definitions: running text is compared page by page and not "
        "block by block, formulas by normalised tokens and not by drawing them (CDM). For its leaderboard, "
        "give the saved predictions to its own scorer.",
    )
    return Dataset("OmniDocBench", "omnidocbench", folder, tuple(pages), notes)


def _elements(blocks: Iterable[dict[str, Any]]) -> Elements:
    kept = [b for b in blocks if not b.get("ignore") and b.get("order") is not None]
    kept.sort(key=lambda b: float(b["order"]))
    text = [b["text"] for b in kept if b["category_type"] in _TEXT_BLOCKS and b.get("text")]
    formulas = [b["latex"] for b in kept if b["category_type"] == "equation_isolated" and b.get("latex")]
    tables = [b.get("html") or b.get("latex") for b in kept if b["category_type"] == "table"]
    return Elements(tuple(text), tuple(formulas), tuple(t for t in tables if t))


def load_olmocr(folder: Path) -> Dataset:
    """olmOCR-bench: each PDF page with the facts about it; a group is a file of facts, such as `old_scans`.

    A PDF that no baseline fact speaks of gets one for its first page, as its authors' scorer adds it.

    Raises:
        InputError: a fact is not what its authors describe.
    """
    root = folder / "bench_data" if (folder / "bench_data").is_dir() else folder
    facts: dict[tuple[str, int], list[Fact]] = {}
    groups: dict[str, str] = {}
    for path in sorted(root.glob("*.jsonl")):
        for where, line in json_lines(path):
            fact = fact_from(line, where)
            facts.setdefault((fact.pdf, fact.page), []).append(fact)
            groups.setdefault(fact.pdf, path.stem)
    known = {fact.pdf for told in facts.values() for fact in told if fact.type == "baseline"}
    for pdf in groups.keys() - known:
        facts.setdefault((pdf, 1), []).append(Fact(f"{pdf}_baseline", pdf, 1, "baseline"))
    pages = [
        Page(
            f"{Path(pdf).with_suffix('').as_posix()}_pg{number}",
            "document",
            groups[pdf],
            (root / "pdfs" / pdf,),
            None,
            Task(format=True),
            number,
            tuple(told),
        )
        for (pdf, number), told in sorted(facts.items())
    ]
    notes = (
        "Mathematical facts are judged by the normalised LaTeX and not by drawing it with KaTeX, so they are "
        "a lower bound. LaTeX tables count as tables here; olmOCR's own scorer knows Markdown and HTML only.",
    )
    return Dataset("olmOCR-bench", "olmocr", folder, tuple(pages), notes)


def _json_list(path: Path) -> list[Any]:
    try:
        value = json.loads(read_text(path))
    except ValueError as e:
        if isinstance(e, InputError):
            raise
        raise InputError(f"{path} is not JSON: {e}.") from e
    if not isinstance(value, list):
        raise InputError(f"{path} is not a JSON list but {type(value).__name__}.")
    return value
