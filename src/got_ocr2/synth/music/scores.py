"""Scores of our own: sound in their format, playable in principle, music only by luck."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from ...errors import InvalidOptionError
from .kern import Bar, Event, Pitch, Voice, Writer, key_alters, key_signature
from .rhythm import METRES, REST_OF_A_BAR, beam_levels, beam_marks, fill_bar, length

# clef -> lowest and highest pitch that is still pleasant to read there
_CLEFS = {"clefG2": (26, 42), "clefF4": (14, 31), "clefC3": (20, 35), "clefC4": (18, 33)}
_SINGLE_CLEFS = (("clefG2", 6), ("clefF4", 2), ("clefC3", 0.6), ("clefC4", 0.3))
_CHORDS = ((2,), (2, 4), (4,), (5,), (7,), (3, 5), (2, 5), (2, 4, 6), (4, 7), (2, 4, 7), (1,))
_STEP_WEIGHTS = np.array([1, 2, 3, 6, 12, 4, 12, 6, 3, 2, 1]) / 52  # of leaps from five steps down to five up
_ENDINGS = (("==", 6), ("=||", 1), ("=:|!", 1.5), ("=", 1))


@dataclass(frozen=True)
class Score:
    """A score as text.

    Attributes:
        kern: the Humdrum file, lines joined by newlines, without a last newline.
        bars: number of bars.
        staves: number of staves.
        accidentals: number of sharps, flats and naturals printed at notes.
    """

    kern: str
    bars: int
    staves: int
    accidentals: int


@dataclass(frozen=True)
class ScoreOptions:
    """What scores hold; shares are of the places where the thing could stand.

    Attributes:
        bars: fewest and most bars, 1 to 40.
        two_staves: share of scores on two staves.
        chords, rests, accidentals, ties, slurs, ornaments, graces: shares of notes.
        second_voices: share of bars of a staff that hold two voices.
        changes: share of bars that begin with a new clef, key or metre.
        busyness: most broken rhythm, 0 (long notes) to 4 (thirty-seconds).
    """

    bars: tuple[int, int] = (2, 6)
    two_staves: float = 0.65
    chords: float = 0.15
    rests: float = 0.08
    accidentals: float = 0.05
    ties: float = 0.05
    slurs: float = 0.05
    ornaments: float = 0.03
    graces: float = 0.01
    second_voices: float = 0.06
    changes: float = 0.04
    busyness: int = 4

    def __post_init__(self) -> None:
        if not 1 <= self.bars[0] <= self.bars[1] <= 40:
            raise InvalidOptionError(f"{self.bars[0]} to {self.bars[1]} bars are outside 1 to 40, rising.")
        if not 0 <= self.busyness <= 4:
            raise InvalidOptionError(f"The busyness is {self.busyness}; it must lie in 0 to 4.")
        for name in (
            *("two_staves", "chords", "rests", "accidentals", "ties", "slurs", "ornaments", "graces"),
            *("second_voices", "changes"),
        ):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidOptionError(
                    f"The share of {name} is {getattr(self, name):g}; it must lie in 0 to 1."
                )


def random_score(rng: np.random.Generator, options: ScoreOptions | None = None) -> Score:
    """Makes up a score: sound in its format, playable in principle, music only by luck."""
    return _Composer(rng, options or ScoreOptions()).score()


class _Composer:
    """One score in the making: what is in force (key, metre, clefs) and where the melodies stand."""

    def __init__(self, rng: np.random.Generator, options: ScoreOptions) -> None:
        self.rng = rng
        self.options = options
        if rng.random() < options.two_staves:
            self.clefs = ["clefF4", "clefG2"]
        else:
            self.clefs = [self._pick(_SINGLE_CLEFS)]
        self.fifths = self._any_key()
        self.metre = self._any_metre()
        self.busyness = [int(rng.integers(0, options.busyness + 1)) for _ in self.clefs]
        self.rested = False
        self.places = [sum(_CLEFS[clef]) // 2 for clef in self.clefs]

    def score(self) -> Score:
        count = int(self.rng.integers(self.options.bars[0], self.options.bars[1] + 1))
        head = [
            ["**kern"] * len(self.clefs),
            [f"*{clef}" for clef in self.clefs],
            [key_signature(self.fifths)] * len(self.clefs),
            [f"*M{self.metre}"] * len(self.clefs),
        ]
        if self.metre in ("4/4", "2/2") and self.rng.random() < 0.4:
            head.append(["*met(c)" if self.metre == "4/4" else "*met(c|)"] * len(self.clefs))
        bars: list[Bar] = []
        for number in range(count):
            signs = self._change() if number > 0 and self._chance(self.options.changes) else []
            voices = [self._staff(staff) for staff in range(len(self.clefs))]
            bars.append(Bar(voices, key_alters(self.fifths), signs))
        bars[0].barline = "=-"
        if count > 2 and self._chance(0.05):
            bars[int(self.rng.integers(1, count))].barline = "=!|:"
        self._connect(bars)
        writer = Writer(len(self.clefs))
        lines = head + writer.write(bars)
        lines += [[self._pick(_ENDINGS)] * len(self.clefs), ["*-"] * len(self.clefs)]
        text = "\n".join("\t".join(line) for line in lines)
        return Score(text, count, len(self.clefs), writer.accidentals)

    def _chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def _pick(self, choices: tuple[tuple[str, float], ...]) -> str:
        weights = np.array([weight for _, weight in choices])
        return choices[int(self.rng.choice(len(choices), p=weights / weights.sum()))][0]

    def _any_key(self) -> int:
        return int(np.clip(round(self.rng.normal(0, 2.6)), -7, 7))

    def _any_metre(self) -> str:
        return self._pick(tuple((metre, weight) for metre, (weight, _) in METRES.items()))

    def _change(self) -> list[list[str]]:
        """A new key, metre or clef from the next bar on, as lines of tokens."""
        what = self.rng.integers(3)
        staves = len(self.clefs)
        if what == 0:
            self.fifths = (self.fifths + int(self.rng.choice([-2, -1, 1, 2])) + 7) % 15 - 7
            return [[key_signature(self.fifths)] * staves]
        if what == 1:
            self.metre = str(self.rng.choice([metre for metre in METRES if metre != self.metre]))
            return [[f"*M{self.metre}"] * staves]
        staff = int(self.rng.integers(staves))
        self.clefs[staff] = "clefF4" if self.clefs[staff] == "clefG2" else "clefG2"
        self.places[staff] = sum(_CLEFS[self.clefs[staff]]) // 2
        return [[f"*{self.clefs[staff]}" if k == staff else "*" for k in range(staves)]]

    def _staff(self, staff: int) -> list[Voice]:
        """The voices of one staff in the next bar."""
        low, high = _CLEFS[self.clefs[staff]]
        if self._chance(self.options.second_voices):
            middle = (low + high) // 2
            return [
                self._voice(staff, (middle + 1, high), chords=self.options.chords / 2),
                self._voice(staff, (low, middle - 2), chords=0, busyness=min(1, self.busyness[staff])),
            ]
        # Two silent bars in a row on a single staff would be engraved as one bar with a count.
        may_rest = self.metre in REST_OF_A_BAR and not self.rested
        self.rested = may_rest and self._chance(self.options.rests / 2)
        if self.rested:
            return [[Event(REST_OF_A_BAR[self.metre])]]
        return [self._voice(staff, (low, high), chords=self.options.chords)]

    def _voice(
        self, staff: int, compass: tuple[int, int], chords: float, busyness: int | None = None
    ) -> Voice:
        """A bar of one voice that wanders within `compass`, with a share of chords."""
        voice: Voice = []
        place = int(np.clip(self.places[staff], *compass))
        chords *= 2.5 if self._chance(0.3) else 0.5  # a bar is either mostly chords or mostly single notes
        for group in fill_bar(self.metre, self.busyness[staff] if busyness is None else busyness, self.rng):
            members: Voice = []
            for value in group:
                place = self._next_place(place, compass)
                if self._chance(self.options.rests):
                    members.append(Event(value))
                    continue
                if self._chance(self.options.graces):
                    members.append(Event("8", (self._pitch(self._next_place(place, compass)),), grace=True))
                pitches = self._chord(place, compass[1], chords)
                members.append(Event(value, pitches, ornament=self._ornament(value)))
            _beam([event for event in members if not event.grace])
            voice += members
        if not any(event.pitches for event in voice):  # silence is for whole-bar rests to say
            voice[0].pitches = (self._pitch(place),)
        self.places[staff] = place
        return voice

    def _next_place(self, place: int, compass: tuple[int, int]) -> int:
        """The next pitch of a wandering melody: mostly steps, some leaps, turning back at the ends."""
        low, high = compass
        step = int(self.rng.choice([-5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5], p=_STEP_WEIGHTS))
        if not low <= place + step <= high:
            step = -step
        return int(np.clip(place + step, low, high))

    def _pitch(self, step: int) -> Pitch:
        natural_alter = key_alters(self.fifths).get(step % 7, 0)
        if not self._chance(self.options.accidentals):
            return Pitch(step, natural_alter)
        alter = natural_alter + int(self.rng.choice([-1, 1]))
        if abs(alter) > 1 and not self._chance(0.2):  # double sharps and flats are rare
            alter = 0
        return Pitch(step, alter)

    def _chord(self, step: int, highest: int, share: float) -> tuple[Pitch, ...]:
        if not self._chance(share):
            return (self._pitch(step),)
        intervals = _CHORDS[int(self.rng.integers(len(_CHORDS)))]
        top = max(intervals)
        root = min(step, highest - top)
        return tuple(self._pitch(root + interval) for interval in (0, *intervals))

    def _ornament(self, value: str) -> str:
        if not self._chance(self.options.ornaments):
            return ""
        if length(value) >= Fraction(1, 2):
            return str(self.rng.choice([";", "^", "~"]))
        return str(self.rng.choice(["'", "'", "^", "~"]))

    def _connect(self, bars: list[Bar]) -> None:
        """Adds ties and slurs: along each staff across the bars of one voice, and within the bars of two."""
        for staff in range(len(self.clefs)):
            stretch: Voice = []
            stretches = [stretch]
            for bar in bars:
                voices = bar.voices[staff]
                if len(voices) > 1 or bar.signs:
                    stretch = []
                    stretches.append(stretch)
                if len(voices) > 1:
                    stretches += voices
                else:
                    if stretch and _is_in_key(stretch[-1], bar) and _is_in_key(voices[0][0], bar):
                        self._tie(stretch[-1], voices[0][0])
                    stretch += voices[0]
                for voice in voices:
                    for event, following in pairwise(voice):
                        self._tie(event, following)
            for events in stretches:
                self._slur(events)

    def _tie(self, event: Event, following: Event) -> None:
        ready = event.pitches and following.pitches and not event.grace and not following.grace
        if ready and self._chance(self.options.ties):
            following.pitches = event.pitches
            event.tied_from = following.tied_to = True

    def _slur(self, voice: Voice) -> None:
        index = 0
        while index < len(voice) - 1:
            stop = index
            reach = int(self.rng.integers(1, 7))
            while stop + 1 < len(voice) and stop - index < reach and voice[stop + 1].pitches:
                stop += 1
            whole = [event for event in voice[index : stop + 1] if not event.grace]
            moving = len({event.pitches for event in whole}) > 1
            ends = voice[index].pitches and not voice[index].grace and not voice[stop].grace
            if stop > index and ends and moving and self._chance(self.options.slurs):
                voice[index].slur, voice[stop].slur = "(", ")"
                index = stop
            index += 1


def _is_in_key(event: Event, bar: Bar) -> bool:
    """Whether no pitch needs a sign.

    Only such notes are tied across a bar line: editors differ on what a sign before the line does after it.
    """
    return all(pitch.alter == bar.alters.get(pitch.step % 7, 0) for pitch in event.pitches)


def _beam(members: Voice) -> None:
    """Marks the beams of one group; a rest breaks them."""
    levels = [beam_levels(event.value) if event.pitches else 0 for event in members]
    for event, mark in zip(members, beam_marks(levels), strict=True):
        event.beam = mark
