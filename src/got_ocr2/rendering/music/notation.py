"""The grammar of `**kern` tokens, and the two encodings of it that models write (https://www.humdrum.org/rep/kern/)."""

from __future__ import annotations

import re
from fractions import Fraction

CLEFS = frozenset(
    {f"{letter}{octave}{line}" for letter in "GFC" for octave in ("", "v", "^", "vv", "^^") for line in range(1, 6)}
    | {"X", "T"}
)  # fmt: skip
_DURATION = re.compile(r"(\d+)(?:%(\d+))?(\.*)")
_PITCH = re.compile(r"([A-Ga-g])\1*(?:#{1,3}|-{1,3}|n)?|r+")
# Everything else that a note may carry: ties, slurs, phrases, beams, articulation, ornaments, stems, editorial marks.
_MARKS = re.compile(r"[\[\]_(){}<>&LJKk'\"`~^;:,/\\TtMmSs$WwRvuOoPpIiNjxXyYzZlUVQqH@|?!=*-]*")
_METRE = re.compile(r"\*M(\d{1,3})/(\d{1,3})(?:%\d+)?")
_LONGEST = {"0": Fraction(2), "00": Fraction(4), "000": Fraction(8)}  # whole notes: breve, long, maxima
_SHORTEST = 2048


def plain_kern(text: str) -> str:
    """`**ekern` and `**bekern`, which part a token's signs and name its separators, as `**kern`."""
    if not re.search(r"^\*\*b?ekern", text, re.MULTILINE):
        return text
    for mark, sign in (("<t>", "\t"), ("<b>", "\n"), ("<s>", " "), ("·", ""), ("@", "")):
        text = text.replace(mark, sign)
    return re.sub(r"\*\*b?ekern\S*", "**kern", text)


def duration(note: str) -> Fraction | None:
    """Length of a note or rest in whole notes; 0 for a grace note; None where it has none or one that is too short."""
    if "q" in note or "Q" in note:
        return Fraction(0)
    found = _DURATION.search(note)
    if found is None:
        return None
    digits, share, dots = found.groups()
    if len(digits) > 4 or len(share or "") > 4 or len(dots) > 4:
        return None
    if set(digits) == {"0"}:
        if digits not in _LONGEST:
            return None
        length = _LONGEST[digits]
    elif int(digits) > _SHORTEST or (share is not None and int(share) == 0):
        return None
    else:
        length = Fraction(int(share or 1), int(digits))
    return length * (2 - Fraction(1, 2 ** len(dots)))


def fault(note: str) -> str | None:
    """What is wrong with one note, rest or note of a chord; None if nothing is."""
    if duration(note) is None:
        return "has no length"
    rest = _DURATION.sub("", note, count=1) if "q" not in note else re.sub(_DURATION, "", note)
    found = _PITCH.search(rest)
    if found is None:
        return "has no pitch"
    after = rest[: found.start()] + rest[found.end() :]
    if _MARKS.fullmatch(after) is None:
        return "has signs that no note has"
    return None


def rest_like(token: str) -> str:
    """A rest as long as a token, which has a length."""
    note = next(note for note in token.split(" ") if duration(note) is not None)
    found = _DURATION.search(note)
    return f"{found.group()}r" if found is not None and duration(note) else "."


def chord_length(token: str) -> Fraction | None:
    """Length of a token: that of its first note that has one; None for none."""
    return next((length for note in token.split(" ") if (length := duration(note)) is not None), None)


def metre(token: str) -> Fraction | None:
    """What a bar lasts by a time signature, in whole notes; None if the token is none."""
    found = _METRE.fullmatch(token)
    if found is None or int(found.group(1)) == 0 or int(found.group(2)) == 0:
        return None
    return Fraction(int(found.group(1)), int(found.group(2)))
