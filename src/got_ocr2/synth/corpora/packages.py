"""Turns installed text packages into lists of clean paragraphs; each function reads one kind of package."""

from __future__ import annotations

import html
import lzma
import re
import shutil
import subprocess
import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

ASSETS = Path(__file__).parents[1] / "assets" / "text"
WORDNET = Path("/usr/share/wordnet")
LIBREOFFICE_HELP = Path("/usr/share/libreoffice/help")
DEBIAN_HANDBOOK = Path("/usr/share/doc/debian-handbook/html")
PYTHON_DOCS = Path("/usr/share/doc/python3.11/html")
FORTUNES = Path("/usr/share/games/fortunes")
WORD_LISTS = Path("/usr/share/dict")

MIN_CHARACTERS, MAX_CHARACTERS = 12, 1500
KJV_VERSES = 3
WORDS_IN_A_ROW, MOST_WORDS = 12, 60_000

# A block with no other block in it.
_BLOCK = re.compile(
    r'<(p|h[1-6]|li|dt|td|div(?= class="para"))\b[^>]*>((?:(?!<(?:p|div|li|td|dt|h[1-6]|pre)\b).)*?)</\1>',
    re.DOTALL,
)
_DEBUG_FOOTER = re.compile(r"<footer>.*", re.DOTALL)
_NAVIGATION = re.compile(r'<ul class="docnav".*?</ul>', re.DOTALL)
_HIDDEN = re.compile(r'<span hidden="true" id="MAC[^>]*>.*?</span>\s*</span>', re.DOTALL)
_TAG = re.compile(r"<[^>]+>")
_SPACE = re.compile(r"\s+")
_FOREIGN = re.compile(
    "[^\u0020-\u007e\u00a1-\u00ac\u00ae-\u024f\u2010-\u2026\u2032\u2033\u20ac\u2122\u2190-\u2193"
    "\u3001-\u301f\u4e00-\u9fff\uff01-\uff5e]"
)
_CHINESE = re.compile("[\u4e00-\u9fff]")

# Of the package's files those in English prose: it lays Italian ones beside them.
_ENGLISH_FORTUNES = (
    "art", "computers", "cookie", "definitions", "education", "food", "fortunes", "goedel", "humorists", "kids", "law",
    "linux", "linuxcookie", "literature", "love", "magic", "medicine", "men-women", "miscellaneous", "news", "people",
    "perl", "pets", "platitudes", "politics", "pratchett", "riddles", "science", "songs-poems", "sports", "startrek",
    "tao", "wisdom", "work",
)  # fmt: skip

Extract = Callable[[], Iterator[str]]


def clean(paragraph: str) -> str | None:
    """One paragraph on one line in Unicode NFC; None if its length or its script is of no use."""
    text = _SPACE.sub(" ", unicodedata.normalize("NFC", paragraph)).strip()
    short = 6 if _CHINESE.search(text) else MIN_CHARACTERS
    if not short <= len(text) <= MAX_CHARACTERS or _FOREIGN.search(text):
        return None
    return text


def paragraphs_of(raw: Iterable[str]) -> list[str]:
    """Cleaned paragraphs, each once, in order of first appearance."""
    return list(dict.fromkeys(text for text in map(clean, raw) if text))


def bundled(name: str) -> Extract:
    """A text inside the package: xz, UTF-8, one paragraph a line."""

    def extract() -> Iterator[str]:
        yield from lzma.decompress((ASSETS / f"{name}.xz").read_bytes()).decode().splitlines()

    return extract


def wordnet() -> Iterator[str]:
    """Dictionary entries from WordNet's `data.*` files: the words of a set of synonyms, then its gloss."""
    for part in ("noun", "verb", "adj", "adv"):
        for line in (WORDNET / f"data.{part}").read_text("ascii").splitlines():
            if line.startswith("  "):
                continue
            fields, _, gloss = line.partition(" | ")
            columns = fields.split(" ")
            words = [re.sub(r"\(\w+\)$", "", word) for word in columns[4 : 4 + 2 * int(columns[3], 16) : 2]]
            yield f"{', '.join(words).replace('_', ' ')}: {gloss.strip()}"


def king_james() -> Iterator[str]:
    """Passages of a few verses, from the `bible` program; a passage never crosses a chapter."""
    program = shutil.which("bible")
    if program is None:
        raise FileNotFoundError("bible")
    run = subprocess.run([program, "-f", "gen1:1-rev22:21"], capture_output=True, check=True, timeout=120)
    passage: list[str] = []
    last_chapter = ""
    for line in run.stdout.decode("ascii").splitlines():
        place, _, verse = line.partition(" ")
        chapter = place.partition(":")[0]
        if passage and (chapter != last_chapter or len(passage) == KJV_VERSES):
            yield " ".join(passage)
            passage = []
        last_chapter = chapter
        passage.append(verse)
    yield " ".join(passage)


def pages(folder: Path) -> Extract:
    """Paragraphs, headings, list items and cells of every HTML page below a folder."""

    def extract() -> Iterator[str]:
        for path in sorted(folder.rglob("*.html")):
            source = path.read_text("utf-8", errors="replace")
            for pattern in (_DEBUG_FOOTER, _NAVIGATION, _HIDDEN):
                source = pattern.sub("", source)
            for match in _BLOCK.finditer(source):
                yield html.unescape(_TAG.sub("", match.group(2))).replace("¶", "").replace("\u200b", "")

    return extract


def fortunes(folder: Path) -> Extract:
    """Quotations, jokes and dialogues: files of texts with a line of one "%" between any two."""

    def extract() -> Iterator[str]:
        names = _ENGLISH_FORTUNES if folder == FORTUNES else sorted(path.name for path in folder.iterdir())
        for path in (folder / name for name in names):
            if path.is_file() and path.suffix not in (".dat", ".u8"):
                yield from re.split(r"^%+$", path.read_text("utf-8"), flags=re.MULTILINE)

    return extract


def word_list(path: Path) -> Extract:
    """Words of a list, a dozen in a row, in an order that depends on the words alone.

    Where no word follows from the one before, each letter has to be made out; accents above all.
    """

    def extract() -> Iterator[str]:
        words = sorted(path.read_text("utf-8").split(), key=lambda word: zlib.crc32(word.encode()))
        del words[MOST_WORDS:]
        for start in range(0, len(words), WORDS_IN_A_ROW):
            yield " ".join(words[start : start + WORDS_IN_A_ROW])

    return extract
