"""How printers write what a corpus holds: curly quotes, dashes, signs, capitals; and strings of forms and receipts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..corpora.strings import StringKind, random_string

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np

_QUOTES = {"“”": 0.3, "‘’": 0.25, "«»": 0.15, "„“": 0.12, '""': 0.1, "''": 0.04, "‚‘": 0.02, "‹›": 0.02}
_SIGNS = "•·–—…§¶†‡°©®™€£¥¢¿¡ªº×÷±µ½¼¾²³¹&@%*/+=<>[]{}#~|_^\\"
_MARKS = ("-", "–", "—", "•", "▪", "■", "*", "1.", "2)", "a)", "(b)", "(iv)", "§ 12", "→", "III.", "□")
_LIGATURES = (("ffi", "ﬃ"), ("ffl", "ﬄ"), ("ff", "ﬀ"), ("fi", "ﬁ"), ("fl", "ﬂ"))
_SPLIT = re.compile("|".join(plain for plain, _ in _LIGATURES) + "|.", re.DOTALL)
_ITEMS = (
    "TOTAL",
    "SUBTOTAL",
    "CASH",
    "CHANGE",
    "VAT",
    "TAX",
    "CARD",
    "BALANCE",
    "DATE",
    "TEL",
    "NO",
    "QTY",
    "INVOICE",
)


_JOINTS = ("::", ".", "_", "-", "/", ":", "->", "++", "@", "\\")
_INITIALS = "ABCDEFGHIJLMNOPQRSTVW"
_ENDS = "., ;:,.  "
_PARTS_OF_BOOKS = (
    "p.", "pp.", "pag.", "vol.", "fig.", "pl.", "ch.", "fr.", "v.", "n.", "No.", "t.", "§", "§§", "f.", "l.", "Art.",
    "S.", "Bd.", "lib.", "cap.", "col.", "tom.", "ed.", "sect.", "ver.",
)  # fmt: skip
_SHORT = (
    "cf.", "ib.", "Ibid.,", "in-8.", "in-4.", "in-12.", "op.", "cit.", "sq.", "&c.", "etc.", "i.e.", "viz.", "s.v.",
    "s.", "v.", "sqq.", "et", "al.", "a.", "b.", "ed.", "trad.", "gr.", "2", "3", "†", "*",
)  # fmt: skip


_AMOUNTS: tuple[StringKind, ...] = ("money", "money", "percentage", "date", "time", "integer", "decimal")


def units(word: str, ligatures: frozenset[str]) -> list[tuple[str, int]]:
    """What is drawn as one glyph, and for how many characters of the word it stands.

    Args:
        word: as it stands in the text.
        ligatures: the ligature characters that the face has and shall use.
    """
    drawn = {plain: sign for plain, sign in _LIGATURES if sign in ligatures}
    out: list[tuple[str, int]] = []
    for match in _SPLIT.finditer(word):
        found = match.group()
        if len(found) == 1 or found in drawn:
            out.append((drawn.get(found, found), len(found)))
        else:
            out += [(letter, 1) for letter in found]
    return out


def all_ligatures() -> frozenset[str]:
    """The ligature characters that `units` knows."""
    return frozenset(sign for _, sign in _LIGATURES)


def printed(rng: np.random.Generator, words: Sequence[str]) -> list[str]:
    """The words with the quotes, dashes and signs of print here and there: seldom in most lines, often in a few."""
    # Where rare signs come as often as letters, a reader writes them for every letter that it cannot make out.
    seldom = 1.0 if rng.random() < 0.15 else 6.0
    curly = rng.random() < 0.6
    out: list[str] = []
    for word in words:
        if curly:
            word = re.sub(r"(?<=\w)'", "’", word)
            word = re.sub(r'^"', "“", re.sub(r'(?<=.)"$', "”", word))
            word = {"-": "–", "--": "—"}.get(word, word.replace("--", "—").replace("...", "…"))
        chance = seldom * rng.random()
        if chance < 0.03:
            pair = tuple(_QUOTES)[int(rng.choice(len(_QUOTES), p=tuple(_QUOTES.values())))]
            word = pair[0] + word + pair[1]
        elif chance < 0.045:
            word = word + _pick(rng, "¹²³⁴*†°")
        elif chance < 0.06:
            sign = _pick(rng, _SIGNS)
            out.append(sign) if rng.random() < 0.6 else out.append(sign + word)
            continue
        elif chance < 0.09:
            word = word + _pick(rng, ",;:.!?")
        elif chance < 0.10:
            word = "(" + word + ")"
        elif chance < 0.107:
            word = f"{word}[{int(rng.integers(1, 60))}]"
        elif chance < 0.122:
            out += random_string(rng, _AMOUNTS[int(rng.integers(len(_AMOUNTS)))]).split()
            continue
        out.append(word)
    if rng.random() < 0.06:
        out[:0] = _MARKS[int(rng.integers(len(_MARKS)))].split()
    return out


def capitals(rng: np.random.Generator, words: Sequence[str]) -> list[str]:
    """The words as letterheads and titles have them: all in capitals, now and then only their first letters."""
    if rng.random() < 0.12:
        return [word[:1].upper() + word[1:].lower() for word in words]
    return [upper(word) for word in words]


def upper(word: str) -> str:
    """The word in capitals; unchanged if it has letters that have none of their own."""
    return word if "ß" in word or len(word.upper()) != len(word) else word.upper()


def form_words(rng: np.random.Generator, count: int) -> list[str]:
    """At least `count` words of a receipt, a table or an address: names of things, numbers, prices, codes."""
    out: list[str] = []
    while len(out) < count:
        chance = rng.random()
        if chance < 0.2:
            name = random_string(rng, "word")
            out += [name.upper() if rng.random() < 0.6 else name.capitalize()]
        elif chance < 0.3:
            out += [_ITEMS[int(rng.integers(len(_ITEMS)))] + ("", ":", ".")[int(rng.integers(3))]]
        elif chance < 0.6:
            out += [f"{rng.gamma(1.0, 30.0):.2f}".replace(".", ".,"[int(rng.integers(2))])]
        elif chance < 0.7:
            out += [f"{int(rng.integers(1, 12))}x", *random_string(rng, "word").split()]
        else:
            kinds = (
                "integer",
                "money",
                "percentage",
                "date",
                "time",
                "phone",
                "code",
                "reference",
                "decimal",
            )
            out += random_string(rng, kinds[int(rng.integers(len(kinds)))]).split()
    return out


def figure_words(rng: np.random.Generator, count: int) -> list[str]:
    """At least `count` cells of a row of figures, all made in one way: years, counts, sums, decimals.

    Nothing around a figure tells which one it is, so readers of print that is hard to make out need many of them.
    """
    out: list[str] = []
    if rng.random() < 0.4:
        out += [name.capitalize() for name in random_string(rng, "word").split()]
    way, digits, mark = rng.random(), int(rng.integers(1, 6)), ".,"[int(rng.integers(2))]
    start = int(rng.integers(1500, 2100))
    while len(out) < count:
        if way < 0.2:
            out.append(str(start))
            start += int(rng.integers(1, 4))
        elif way < 0.6:
            out.append(_pick(rng, "123456789") + "".join(_pick(rng, "0123456789") for _ in range(digits - 1)))
        elif way < 0.8:
            out.append(f"{rng.integers(10**digits)}{mark}{rng.integers(100):02}")
        else:
            out.append(
                f"{rng.integers(10 ** int(rng.integers(1, 7))):,}".replace(",", "," if mark == "." else mark)
            )
    return out


def lone_words(rng: np.random.Generator, words: Sequence[str]) -> list[str]:
    """What stands alone on a line: a page's number, a numeral, one letter, a short word of those given.

    A reader that saw few of them takes them for specks.
    """
    way = rng.random()
    if way < 0.3:
        number = str(int(rng.integers(0, 10 ** int(rng.integers(1, 5)))))
        before, after = (("", ""), ("", "."), ("- ", " -"), ("— ", " —"), ("[", "]"), ("(", ")"))[
            int(rng.integers(6))
        ]
        return (before + number + after).split()
    if way < 0.4:
        numeral = _roman(int(rng.integers(1, 60)))
        return [numeral if rng.random() < 0.5 else numeral.lower() + "."[: int(rng.integers(2))]]
    if way < 0.5:
        return [_pick(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") + ("", ".", ")", ":")[int(rng.integers(4))]]
    short = [word for word in words if len(word) <= 4] or [words[0][:3]]
    word = short[int(rng.integers(len(short)))]
    return [word[:1].upper() + word[1:] if rng.random() < 0.5 else word]


def leader_words(rng: np.random.Generator, words: Sequence[str], count: int) -> list[str]:
    """A line of a table of contents, a list of prices: words, dots up to the margin, a number or a price.

    Args:
        rng: source of randomness.
        words: what is listed.
        count: about how many words the line holds; the dots take the place of some.
    """
    dots = int(rng.integers(4, max(6, 4 * count)))
    filled = [dots * "."] if rng.random() < 0.6 else dots // 2 * ["."]
    price = f"{rng.gamma(1.0, 30.0):.2f}".replace(".", ".,"[int(rng.integers(2))])
    page = str(int(rng.integers(1, 500))) if rng.random() < 0.7 else _roman(int(rng.integers(1, 60))).lower()
    return [*words, *filled, price if rng.random() < 0.4 else page]


def code_words(rng: np.random.Generator, count: int) -> list[str]:
    """At least `count` words of a terminal or of code: names put together by signs, options, calls, addresses."""
    out: list[str] = []
    while len(out) < count:
        names = random_string(rng, "word").split() * 3
        name = _JOINTS[int(rng.integers(len(_JOINTS)))].join(names[: int(rng.integers(2, 4))])
        way = rng.random()
        if way < 0.5:
            out.append(name + _pick(rng, "   ,;:").strip())
        elif way < 0.6:
            out.append(f"--{name}={int(rng.integers(1000))}")
        elif way < 0.75:
            first, last = ("()", "[]", "{}", "<>", '""', "''")[int(rng.integers(6))]
            out.append(f"{names[0]}{first}{names[1]}{last}")
        elif way < 0.85:
            out += [names[0], ("=", "==", "+=", "->", "|", "&&", "<", "!=", "+", ":")[int(rng.integers(10))]]
        else:
            out.append(f"{_pick(rng, '$#%~/')}{name}")
    return out


def reference_words(rng: np.random.Generator, count: int) -> list[str]:
    """At least `count` words of a footnote or a catalogue: shortened names, titles, volumes, pages, years."""
    out: list[str] = []
    while len(out) < count:
        way, number = rng.random(), int(rng.gamma(1.2, 60.0)) + 1
        if way < 0.3:
            name = random_string(rng, "word").split()[0].capitalize()
            out.append(name[: int(rng.integers(2, 7))] + "." if rng.random() < 0.7 else name + ",")
        elif way < 0.4:
            out += [f"{_pick(rng, _INITIALS)}." for _ in range(int(rng.integers(1, 4)))]
        elif way < 0.65:
            out += [
                _PARTS_OF_BOOKS[int(rng.integers(len(_PARTS_OF_BOOKS)))],
                f"{number}{_pick(rng, _ENDS).strip()}",
            ]
        elif way < 0.75:
            out += [
                _PARTS_OF_BOOKS[int(rng.integers(len(_PARTS_OF_BOOKS)))],
                _roman(number % 60 + 1) + _pick(rng, ".,"),
            ]
        elif way < 0.85:
            out.append(f"{rng.integers(1500, 1950)}{_pick(rng, _ENDS).strip()}")
        elif way < 0.93:
            out.append(_SHORT[int(rng.integers(len(_SHORT)))])
        else:
            out.append(f"({_pick(rng, _INITIALS).lower()})" if rng.random() < 0.5 else f"({number})")
    return out


def _roman(number: int) -> str:
    """1..60 as small or large Roman figures."""
    tens, ones = divmod(number, 10)
    text = "X" * tens if tens < 4 else ("XL", "L", "LX")[tens - 4]
    text += ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")[ones]
    return text.lower() if number % 3 == 0 else text


def _pick(rng: np.random.Generator, letters: str) -> str:
    return letters[int(rng.integers(len(letters)))]
