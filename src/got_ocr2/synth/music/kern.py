"""The `**kern` format of Humdrum: notes, bars, and how they are written down.

Everything in the text can be seen in an engraving and the other way round: stems, bar numbers and what else
an engraver decides are left out; a natural is written where its sign is printed, and nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from .rhythm import length

_SHARPS = (3, 0, 4, 1, 5, 2, 6)  # F C G D A E B as steps above C
_ALTERS = {-2: "--", -1: "-", 0: "", 1: "#", 2: "##"}
_LETTERS = "cdefgab"
_MIDDLE_C = 28  # pitches are counted in steps of the staff; each octave has seven


@dataclass(frozen=True)
class Pitch:
    """A place on the staff, in steps from the C four octaves below middle C, and its alteration (-2 to 2)."""

    step: int
    alter: int

    def kern(self, natural: bool) -> str:
        letter = _LETTERS[self.step % 7]
        octave = (self.step - _MIDDLE_C) // 7
        name = letter * (octave + 1) if octave >= 0 else letter.upper() * -octave
        return name + (_ALTERS[self.alter] or ("n" if natural else ""))


@dataclass
class Event:
    """A note, chord or rest of one voice.

    Attributes:
        value: its note value.
        pitches: from the lowest; none for a rest.
        beam: its beam marks.
        tied_from, tied_to: whether a tie to the next event starts here, and whether one ends here.
        slur: "(" where a slur starts, ")" where it ends.
        ornament: "'" staccato, "^" accent, "~" tenuto, ";" fermata.
        grace: an ornamental note that takes no time.
    """

    value: str
    pitches: tuple[Pitch, ...] = ()
    beam: str = ""
    tied_from: bool = False
    tied_to: bool = False
    slur: str = ""
    ornament: str = ""
    grace: bool = False


Voice = list[Event]


@dataclass
class Bar:
    """One bar.

    Attributes:
        voices: for each staff, from the lowest, its voices, upper voice first.
        alters: what the key signature in force does to the steps of the scale.
        signs: lines of tokens between its bar line and its notes: a new key, metre or clef.
        barline: the bar line that opens it.
    """

    voices: list[list[Voice]]
    alters: dict[int, int]
    signs: list[list[str]] = field(default_factory=list)
    barline: str = "="


def key_signature(fifths: int) -> str:
    """`*k[...]` of the key with so many sharps (positive) or flats (negative)."""
    order = _SHARPS[:fifths] if fifths >= 0 else _SHARPS[::-1][:-fifths]
    sign = "#" if fifths > 0 else "-"
    return "*k[" + "".join(_LETTERS[step] + sign for step in order) + "]"


def key_alters(fifths: int) -> dict[int, int]:
    """Step of the scale (0 is C) -> what the key signature does to it; steps left alone are absent."""
    order = _SHARPS[:fifths] if fifths >= 0 else _SHARPS[::-1][:-fifths]
    return dict.fromkeys(order, 1 if fifths > 0 else -1)


class Writer:
    """Turns bars into lines of tokens; knows which accidentals are in force, to write naturals as printed.

    Attributes:
        staves: number of staves.
        alters: what the key signature does to each step of the scale in the bar being written.
        accidentals: sharps, flats and naturals printed at notes so far.
    """

    def __init__(self, staves: int) -> None:
        self.staves = staves
        self.alters: dict[int, int] = {}
        self.accidentals = 0
        self._shown: list[dict[int, int]] = []

    def write(self, bars: list[Bar]) -> list[list[str]]:
        """The lines of some bars, each a list of tokens, one for each column."""
        lines: list[list[str]] = []
        for bar in bars:
            self.alters = bar.alters
            self._shown = [{} for _ in range(self.staves)]
            lines.append([bar.barline] * self.staves)
            lines += bar.signs
            widths = [len(voices) for voices in bar.voices]
            if max(widths) > 1:  # split the columns of the staves with two voices
                lines.append(["*^" if width > 1 else "*" for width in widths])
            lines += self._data(bar)
            for staff, width in enumerate(widths):
                if (
                    width > 1
                ):  # join them again, one staff at a time: pairs side by side would be taken for one
                    lines.append(
                        [mark for k, n in enumerate(widths) for mark in ["*v" if k == staff else "*"] * n]
                    )
                    widths[staff] = 1
        return lines

    def _data(self, bar: Bar) -> list[list[str]]:
        """The notes of a bar: one line for each moment at which something begins."""
        columns: list[dict[tuple[Fraction, int], tuple[int, Event]]] = []
        for staff, voices in enumerate(bar.voices):
            for voice in voices:
                column: dict[tuple[Fraction, int], tuple[int, Event]] = {}
                now = Fraction(0)
                for event in voice:
                    column[now, 0 if event.grace else 1] = (staff, event)
                    now += 0 if event.grace else length(event.value)
                columns.append(column)
        moments = sorted({moment for column in columns for moment in column})
        return [
            [self._token(*column[moment]) if moment in column else "." for column in columns]
            for moment in moments
        ]

    def _token(self, staff: int, event: Event) -> str:
        if not event.pitches:
            return f"{event.value}r"
        notes: list[str] = []
        for pitch in event.pitches:
            if (
                event.grace
            ):  # it takes what is in force: editors differ on how long a sign of its own would hold
                pitch = Pitch(pitch.step, self._in_force(staff, pitch.step))
            start = "[" if event.tied_from and not event.tied_to else ""
            end = "_" if event.tied_from and event.tied_to else "]" if event.tied_to else ""
            name = pitch.kern(self._natural(staff, pitch, event.tied_to))
            notes.append(f"{start}{event.value}{name}{'q' if event.grace else ''}{end}")
        if event.slur == "(":
            notes[0] = "(" + notes[0]
        notes[-1] += event.ornament + event.beam + (")" if event.slur == ")" else "")
        return " ".join(notes)

    def _natural(self, staff: int, pitch: Pitch, tied: bool) -> bool:
        """Whether the pitch needs a natural sign; remembers what the bar has shown.

        The end of a tie prints no sign, but what it sounds holds for the rest of its bar.
        """
        printed = pitch.alter != self._in_force(staff, pitch.step) and not tied
        self._shown[staff][pitch.step] = pitch.alter
        self.accidentals += printed
        return printed and pitch.alter == 0

    def _in_force(self, staff: int, step: int) -> int:
        return self._shown[staff].get(step, self.alters.get(step % 7, 0))
