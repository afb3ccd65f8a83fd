"""Places for a text that was written for a whole page, from lines that were found on it and read one by one."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...results import TextPart
from .common_runs import partners
from .found_words import FoundWords
from .letters import letters_of

LEAST_SHARE = 0.5
"""Of the letters of a word or line that must stand on the page too, or in the text; otherwise it has no place."""
_STRAY = 8  # letters of words that lie in another line than those on both sides of them, and are not believed
_INVENTED_WORDS, _INVENTED_LETTERS = 3, 12  # of a run without a place that becomes a part of its own
_LINE = re.compile(r"[^\n]*\S[^\n]*")


@dataclass(frozen=True)
class Placed:
    """A text over a page.

    Attributes:
        lines: its lines. Where one runs over several lines of the page, each of these is a part, so that every part
            lies in one line of the page; parts without one have no box and are `unsupported`.
        words: the words that were given, with boxes where they have a place.
        skipped: lines of the page that the text leaves out, each starting and ending where it would stand.
        agreement: twice the letters and digits that both have in common, wherever they stand, by those of both, 0..1.
    """

    lines: tuple[TextPart, ...]
    words: tuple[TextPart, ...]
    skipped: tuple[TextPart, ...]
    agreement: float


class _Word(NamedTuple):
    """A word of the text: its letters `start .. end - 1`, the line of the page it lies in, and its words there."""

    part: TextPart
    start: int
    end: int
    line: int | None = None
    found: tuple[int, ...] = ()

    @property
    def letters(self) -> int:
        return self.end - self.start


def placed(
    text: str,
    words: Sequence[TextPart],
    confidence: Callable[[int, int], float],
    found: FoundWords,
) -> Placed:
    """Lays a text over the lines that were found on its page.

    The two may be in different order, and either may lack or repeat what the other has: each letter of the page is
    given to one letter of the text at most.

    Args:
        text: of the page.
        words: all of its words, in order.
        confidence: of the characters `start .. end - 1` of the text, 0..1.
        found: what was found on the page.
    """
    letters = letters_of(text)
    partner = partners(found.letters, letters.text)
    own = _words(words, letters.places, partner, found)
    lines: list[TextPart] = []
    boxed: list[TextPart] = []
    used = bytearray(len(found.letters))
    ends: dict[int, int] = {}  # of each line of the page: where it ends in the text
    at = 0
    for match in _LINE.finditer(text):
        first = at
        while at < len(own) and own[at].part.start < match.end():
            at += 1
        for run in _runs(own[first:at]):
            line, parts = _part(text, run, confidence, found, partner)
            lines.append(line)
            boxed += parts
            if line.unsupported:
                continue
            for word in run:
                if word.line is not None:
                    ends[word.line] = max(ends.get(word.line, 0), line.end)
                for letter in range(word.start, word.end):
                    if partner[letter] >= 0:
                        used[partner[letter]] = 1
    total = len(found.letters) + len(letters.text)
    return Placed(
        tuple(lines), tuple(boxed), _skipped(found, used, ends), 2 * sum(used) / total if total else 1.0
    )


def _words(
    words: Sequence[TextPart], places: Sequence[int], partner: Sequence[int], found: FoundWords
) -> list[_Word]:
    """The words with their letters and, where most of those have partners in one line of the page, with that line."""
    made: list[_Word] = []
    end = 0
    for part in words:
        start = end
        while end < len(places) and places[end] < part.end:
            end += 1
        owners = Counter(found.owners[p] for p in partner[start:end] if p >= 0)
        lines = Counter[int]()
        for owner, count in owners.items():
            lines[found.words[owner].line] += count
        word = _Word(part, start, end)
        if lines:
            line, count = lines.most_common(1)[0]
            if count >= LEAST_SHARE * (end - start):
                word = word._replace(line=line, found=_claimed(owners, line, count, found))
        made.append(word)
    return made


def _claimed(owners: Counter[int], line: int, count: int, found: FoundWords) -> tuple[int, ...]:
    """The words of the line whose letters a word of the text has: a good part of either; one at least."""
    inside = {owner: own for owner, own in owners.items() if found.words[owner].line == line}
    whole = [
        owner
        for owner, own in inside.items()
        if 3 * own >= count or 2 * own >= found.words[owner].end - found.words[owner].start
    ]
    return tuple(sorted(whole)) or (max(inside, key=inside.__getitem__),)


def _runs(words: list[_Word]) -> list[list[_Word]]:
    """A line of the text in runs of words that lie in one line of the page, or in none."""
    groups = _grouped(words)
    for before, group, after in zip(groups, groups[1:], groups[2:], strict=False):
        line = _line_of(group)
        around = _line_of(before)
        if line is not None and line != around == _line_of(after) and _letters(group) < _STRAY:
            group[:] = [word._replace(line=None, found=()) for word in group]
    groups = _grouped([word for group in groups for word in group])
    runs: list[list[_Word]] = []
    waiting: list[_Word] = []  # without a place, before anything that has one
    for group in groups:
        invented = len(group) >= _INVENTED_WORDS and _letters(group) >= _INVENTED_LETTERS
        if _line_of(group) is not None:
            if runs and not waiting and _line_of(runs[-1]) == _line_of(group):
                runs[-1] += group
            else:
                runs.append(waiting + group)
            waiting = []
        elif invented:
            runs.append(waiting + group)
            waiting = []
        elif runs and _line_of(runs[-1]) is not None:
            runs[-1] += group
        else:
            waiting += group
    if waiting:
        if runs:
            runs[-1] += waiting
        else:
            runs.append(waiting)
    return runs


def _grouped(words: Sequence[_Word]) -> list[list[_Word]]:
    """Neighbours of one line of the page together; words without letters belong to those before them."""
    groups: list[list[_Word]] = []
    for word in words:
        if groups and (word.line == groups[-1][0].line or not word.letters):
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups


def _line_of(run: Sequence[_Word]) -> int | None:
    return next((word.line for word in run if word.line is not None), None)


def _letters(run: Sequence[_Word]) -> int:
    return sum(word.letters for word in run)


def _part(
    text: str,
    run: list[_Word],
    confidence: Callable[[int, int], float],
    found: FoundWords,
    partner: Sequence[int],
) -> tuple[TextPart, list[TextPart]]:
    """A run as a part of the text, and its words; with boxes if enough of it stands on the page."""
    start, end = run[0].part.start, run[-1].part.end
    part = TextPart(text[start:end], start, end, confidence(start, end))
    line = _line_of(run)
    shared = 0
    if line is not None:
        own = found.letters_of_line(line)
        shared = sum(partner[k] in own for word in run for k in range(word.start, word.end))
    if line is None or shared < LEAST_SHARE * _letters(run):
        return dataclasses.replace(part, unsupported=_letters(run) > 0), [word.part for word in run]
    where = {"angle": found.lines[line].angle, "block": found.lines[line].block}
    claimed = [number for word in run for number in word.found]
    words = [
        dataclasses.replace(word.part, box=found.box_of(line, word.found), **where)
        if word.found
        else word.part
        for word in run
    ]
    return dataclasses.replace(part, box=found.box_of(line, claimed), **where), words


def _skipped(found: FoundWords, used: bytearray, ends: dict[int, int]) -> tuple[TextPart, ...]:
    skipped: list[TextPart] = []
    place = 0
    for number, line in enumerate(found.lines):
        letters = found.letters_of_line(number)
        if sum(used[letters.start : letters.stop]) < LEAST_SHARE * len(letters):
            skipped.append(dataclasses.replace(line, start=place, end=place))
        else:
            place = ends.get(number, place)
    return tuple(skipped)
