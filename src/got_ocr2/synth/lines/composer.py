"""Composes a block of a few lines in the manner of one kind of print."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from ..corpora import Split
from ..corpora.content import Content
from ..drawing.backgrounds import background, grain, octaves
from ..fonts import fonts
from ..sample import Sample
from ..text.styles import print_on_plain_paper, random_style
from .faces import BOOK, RECEIPT, TYPEWRITER, faces_of, pick_family
from .letters import Hand, LineSheet, Machine
from .typography import (
    all_ligatures,
    capitals,
    code_words,
    figure_words,
    form_words,
    leader_words,
    lone_words,
    printed,
    reference_words,
    upper,
)

LineKind = Literal["print", "typewriter", "book", "capitals", "receipt"]
LINE_KINDS: tuple[LineKind, ...] = get_args(LineKind)
ROWS = (3, 5)  # lines in a block, both ends included


@dataclass(frozen=True)
class BlockComposer:
    """Composes blocks.

    Attributes:
        content: what is written.
        split: whose fonts.
        em: smallest and largest letters, pixels per em.
    """

    content: Content
    split: Split
    em: tuple[float, float] = (9.0, 52.0)

    def compose(self, rng: np.random.Generator, kind: LineKind) -> Sample:
        """One clean block, its lines joined by line breaks; without lines if nothing drawn could be set."""
        low, high = self.em
        em = float(round(low * (high / low) ** rng.random()))
        hand = self._hand(rng, kind, em)
        width = round(em * rng.uniform(14, 48))
        margin = round(em * rng.uniform(0.4, 1.5))
        leading = em * self._leading(rng, kind)
        count = int(rng.integers(ROWS[0], ROWS[1] + 1))
        sheet = LineSheet(
            Image.new("L", (width + 2 * margin, round(leading * (count - 0.2) + em + 2 * margin)))
        )
        mixed = kind == "print" and rng.random() < 0.3
        for row in range(count):
            if mixed and row:
                hand = self._hand(rng, kind, float(round(em * rng.uniform(0.7, 1.15))))
            words = self._words(rng, kind, hand, width)
            if words:
                sheet.add(rng, _placed(rng, words, margin, width), margin + 0.85 * em + row * leading)
        if kind == "typewriter":
            sheet.mask = _ribbon(rng, sheet.mask, em)
        elif kind == "receipt":
            sheet.mask = _needles(rng, sheet.mask, em)
        elif kind == "book":
            sheet.mask = _letterpress(rng, sheet.mask, em)
        else:
            sheet.mask = _screen(rng, sheet.mask, em)
        _rule(rng, sheet, em)
        if rng.random() < (0.35 if kind == "book" else 0.08):
            sheet.mask = _thin_paper(rng, sheet.mask, em)
        if rng.random() < 0.6:
            sheet = sheet.stretched(rng.uniform(0.6, 1.3))
        glyphs, regions = sheet.truth()
        picture = print_on_plain_paper(rng, sheet.mask)
        if kind in ("typewriter", "book") and rng.random() < 0.5:
            picture = ImageChops.multiply(picture, background(rng, picture.size, "paper"))
        return Sample(
            "line", (picture,), "\n".join(sheet.texts), regions=regions, glyphs=glyphs, meta={"kind": kind}
        )

    def _hand(self, rng: np.random.Generator, kind: LineKind, em: float) -> Hand:
        if kind == "typewriter":
            face = pick_family(rng, TYPEWRITER, self.split, italic=False)
            space = face.load(em).getlength(" ")
            return Hand(face, em, space, machine=_machine(rng))
        if kind == "receipt":
            own = rng.random() < 0.6
            face = pick_family(rng, RECEIPT, self.split) if own else random_style(rng, self.split, em).face
            return Hand(face, em, face.load(em).getlength(" ") * rng.uniform(0.9, 1.4))
        if kind == "book":
            face = pick_family(rng, BOOK, self.split)
            italic = [f for f in fonts(split=self.split, italic=True) if f.family == face.family]
            if italic and rng.random() < 0.3:
                face = italic[int(rng.integers(len(italic)))]
        else:
            face = random_style(rng, self.split, em).face
        hand = Hand(face, em, face.load(em).getlength(" ") * rng.uniform(0.8, 1.7))
        if rng.random() < 0.4:
            hand = replace(hand, ligatures=frozenset(s for s in all_ligatures() if face.covers(s)))
        if rng.random() < (0.35 if kind == "book" else 0.03):
            hand = replace(hand, thin=em * rng.uniform(0.1, 0.3))
        spaced = rng.random() < (0.4 if kind == "capitals" else 0.04)
        return (
            replace(hand, spacing=em * rng.uniform(0.02, 0.3), word_space=2 * hand.word_space)
            if spaced
            else hand
        )

    @staticmethod
    def _leading(rng: np.random.Generator, kind: LineKind) -> float:
        """Distance of baselines in ems: the machine's single, one and a half or double; else set solid and up."""
        return float(
            rng.uniform(1.0, 1.3) if kind == "typewriter" and rng.random() < 0.6 else rng.uniform(1.05, 2.0)
        )

    def _words(
        self, rng: np.random.Generator, kind: LineKind, hand: Hand, width: float
    ) -> list[tuple[Hand, str]]:
        """As many words as a line holds, of letters that the face has, each with what it is set with."""
        count = max(1, int(width / hand.size / 1.6))
        way, forms = rng.random(), 0.65 if kind == "receipt" else 0.06
        references = 0.16 if kind == "book" else 0.05 if kind == "print" else 0.0
        leaders = 0.02 if kind == "receipt" else 0.015
        lone = 0.0 if kind == "receipt" else 0.05
        if way < forms:
            words = form_words(rng, count)
        elif way < forms + 0.1:
            words = figure_words(rng, count)
            if rng.random() < 0.2:
                hand = replace(
                    hand,
                    spacing=hand.size * rng.uniform(0.02, 0.7),
                    word_space=rng.uniform(2, 4) * hand.word_space,
                )
        elif way < forms + 0.1 + references:
            words = reference_words(rng, count)
        elif way < forms + 0.1 + references + leaders:
            words = leader_words(rng, self.content.words(rng, int(rng.integers(1, 5))), count)
        elif way < forms + 0.1 + references + leaders + lone:
            words = lone_words(rng, self.content.words(rng, 12))
        elif hand.face.style == "mono" and rng.random() < 0.2:
            words = code_words(rng, count)
        else:
            words = printed(rng, self.content.words(rng, count))
        if kind == "capitals":
            words = capitals(rng, words)
        words = [word for word in words if hand.face.covers(word)]
        if rng.random() < 0.15:
            words = words[: int(rng.integers(1, 5))]
        if kind in ("print", "book", "typewriter") and rng.random() < 0.1 and words and words[-1].isalpha():
            words[-1] += "-"
        return _fitting(self._emphasised(rng, kind, hand, words), width)

    def _emphasised(
        self, rng: np.random.Generator, kind: LineKind, hand: Hand, words: list[str]
    ) -> list[tuple[Hand, str]]:
        """The words with what each is set with: here and there italics, boldface or small capitals."""
        if kind not in ("print", "book", "capitals") or rng.random() < 0.6:
            return [(hand, word) for word in words]
        small = kind == "capitals" or rng.random() < 0.35
        if small:
            other = replace(hand, small=rng.uniform(0.68, 0.88))
        else:
            kin = faces_of((hand.face.family,), self.split)
            other = replace(hand, face=kin[int(rng.integers(len(kin)))])
        lower = replace(hand, size=hand.size * other.small)
        marked, turns = rng.random() < 0.5, rng.uniform(0.1, 0.6)
        out: list[tuple[Hand, str]] = []
        for word in words:
            marked ^= bool(rng.random() < turns)
            shown = upper(word) if small else word
            if not marked or not other.face.covers(shown):
                out.append((hand, word))
            else:
                out.append((lower if small and word[0].islower() else other, shown))
        return out


def _fitting(words: list[tuple[Hand, str]], width: float) -> list[tuple[Hand, str]]:
    """As many of the words as stand on a line of `width` pixels."""
    for count, (hand, word) in enumerate(words):
        width -= hand.length(word) + (hand.word_space if count else 0)
        if width < 0:
            return words[:count]
    return words


def _placed(
    rng: np.random.Generator, words: list[tuple[Hand, str]], left: float, width: float
) -> list[tuple[float, Hand, str]]:
    """Words with their left edges: flush left, stretched, centred or indented, now and then as cells far apart."""
    hand = words[0][0]
    lengths = [hand.length(word) for hand, word in words]
    gaps = np.full(len(words), hand.word_space)
    slack = width - sum(lengths) - hand.word_space * (len(words) - 1)
    way = rng.random()
    x = left
    if way < 0.35 and len(words) > 3 and slack < 0.35 * width:
        gaps += slack / (len(words) - 1)
    elif way < 0.5:
        x += slack * rng.random()
    elif way < 0.55:
        wide = rng.random(len(words)) < 0.3
        gaps += wide * slack / max(1, wide.sum()) * rng.random()
    if hand.machine is not None:
        wide = np.array([word[-1] in ".:?!" and rng.random() < 0.5 for _, word in words])
        gaps += wide * hand.word_space * (slack > 2 * hand.word_space * wide.sum())
    starts = x + np.concatenate([[0.0], np.cumsum(np.array(lengths) + gaps)[:-1]])
    return [(x, *word) for x, word in zip(starts.tolist(), words, strict=True)]


def _machine(rng: np.random.Generator) -> Machine:
    """A typewriter, from one just out of the repair shop to one that long needed it."""
    worn = rng.random()
    return Machine(
        shifts=tuple(rng.normal(0, 0.03 * worn, 97).tolist()),
        raised=float(rng.normal(0, 0.04)) if rng.random() < 0.25 else 0.0,
        jitter=(0.02 * worn, 0.01 * worn),
        ink=float(rng.uniform(0.6, 1.0)),
        uneven=float(rng.uniform(0, 0.2)),
        twice=float(rng.uniform(0, 0.3)) if rng.random() < 0.15 else 0.0,
    )


def _ribbon(rng: np.random.Generator, mask: Image.Image, em: float) -> Image.Image:
    """Cloth that gives ink unevenly, types clogged with it, or a carbon copy: soft, thick and pale."""
    if rng.random() < 0.5:
        mask = _clogged(rng, mask, em, rng.uniform(0.3, 1.0))
    if rng.random() < 0.3:
        mask = mask.filter(ImageFilter.GaussianBlur(em * rng.uniform(0.015, 0.05)))
        mask = mask.point([min(255, round(v * gain)) for gain in [rng.uniform(0.9, 1.7)] for v in range(256)])
    return _patchy(rng, mask, em, rng.uniform(0.0, 0.5)) if rng.random() < 0.7 else mask


def _letterpress(rng: np.random.Generator, mask: Image.Image, em: float) -> Image.Image:
    """Ink that was squeezed out to the rims of letters, or that did not take everywhere."""
    if rng.random() < 0.5:
        mask = _clogged(rng, mask, em, rng.uniform(0.1, 0.7))
    elif rng.random() < 0.25:  # a worn plate, or a film of one: soft and pale
        mask = mask.filter(ImageFilter.GaussianBlur(em * rng.uniform(0.02, 0.08)))
        mask = mask.point([round(v * ink) for ink in [rng.uniform(0.15, 0.7)] for v in range(256)])
    return _patchy(rng, mask, em, rng.uniform(0.0, 0.5)) if rng.random() < 0.5 else mask


def _screen(rng: np.random.Generator, mask: Image.Image, em: float) -> Image.Image:
    """What is of less weight in grey; letters of outlines alone."""
    way = rng.random()
    if way < 0.12:
        ink = rng.uniform(0.3, 0.8)
        return mask.point([round(v * ink) for v in range(256)])
    if way < 0.18 and em >= 12:
        inside = mask.filter(ImageFilter.MinFilter(3))
        return ImageChops.subtract(mask.filter(ImageFilter.MaxFilter(3)), inside)
    return mask


def _thin_paper(rng: np.random.Generator, mask: Image.Image, em: float) -> Image.Image:
    """The print of the other side, mirrored, soft and pale: up to 45 % of its ink."""
    back = ImageChops.offset(
        ImageOps.mirror(mask), int(rng.integers(mask.width)), int(rng.integers(mask.height))
    )
    back = back.filter(ImageFilter.GaussianBlur(em * rng.uniform(0.02, 0.1)))
    ink = rng.uniform(0.1, 0.45)
    return ImageChops.lighter(mask, back.point([round(v * ink) for v in range(256)]))


def _needles(rng: np.random.Generator, mask: Image.Image, em: float) -> Image.Image:
    """Dots of a matrix printer, or a thermal head with lines left out."""
    way = rng.random()
    if way < 0.25:
        return _dots(rng, mask, em)
    if way < 0.45:
        pitch = em / rng.uniform(9, 16)
        if pitch < 1.6:
            return mask
        ys, xs = np.ogrid[: mask.height, : mask.width]
        dots = 0.5 + 0.5 * np.cos(2 * np.pi * xs / pitch) * np.cos(2 * np.pi * ys / pitch)
        kept = 1 - rng.uniform(0.3, 1.0) * (1 - dots)
        soft = Image.fromarray((np.asarray(mask) * kept).astype(np.uint8))
        return soft.filter(ImageFilter.GaussianBlur(pitch * rng.uniform(0.1, 0.35))).point(
            [min(255, round(1.6 * v)) for v in range(256)]
        )
    if way < 0.65:
        rows = np.ones(mask.height)
        rows[rng.integers(0, mask.height, max(1, round(mask.height / em)))] = rng.uniform(0, 0.6)
        mask = Image.fromarray((np.asarray(mask) * rows[:, None]).astype(np.uint8))
    return _patchy(rng, mask, em, rng.uniform(0.0, 0.5))


def _dots(rng: np.random.Generator, mask: Image.Image, em: float) -> Image.Image:
    """Every needle's stroke by itself: round dots on a grid of 9 to 14 rows an em, each full or missing."""
    pitch = em / rng.uniform(10, 15)
    across, down = (max(1, round(side / pitch)) for side in mask.size)
    struck = np.asarray(mask.resize((across, down), Image.Resampling.BOX)) > rng.uniform(70, 120)
    fine = 6
    y, x = (np.mgrid[:fine, :fine] + 0.5) / fine - 0.5
    dot = np.clip((rng.uniform(0.34, 0.62) - np.hypot(x, y)) * fine, 0, 1)
    ink = struck * np.clip(rng.normal(1, rng.uniform(0, 0.2), struck.shape), 0, 1)
    drawn = Image.fromarray((255 * np.kron(ink, dot)).astype(np.uint8))
    return drawn.resize(
        mask.size, Image.Resampling.BOX if drawn.width > mask.width else Image.Resampling.BICUBIC
    )


def _clogged(rng: np.random.Generator, mask: Image.Image, em: float, amount: float) -> Image.Image:
    """Ink closes the eyes of letters, in some places more than in others."""
    size = 3 if em < 34 else 5
    thick = mask.filter(ImageFilter.MaxFilter(size))
    closed = thick.filter(ImageFilter.MinFilter(3)) if rng.random() < 0.5 else thick
    where = octaves(rng, mask.size, max(3, round(max(mask.size) / em / 2)), 2)
    return Image.composite(closed, mask, where.point([min(255, round(v * amount)) for v in range(256)]))


def _patchy(rng: np.random.Generator, mask: Image.Image, em: float, amount: float) -> Image.Image:
    """Ink that is missing in spots about as large as strokes."""
    # Spots are smaller than letters: where a whole letter is gone, nobody can read it.
    spots = octaves(rng, mask.size, max(4, round(max(mask.size) / em * rng.uniform(2, 6))), 3, 0.8)
    if rng.random() < 0.5:
        spots = ImageChops.add(spots, grain(rng, mask.size, 60), 1, -128)
    kept = [round(255 * (1 - amount * min(1.0, max(0.0, (v - 110) / 90)))) for v in range(256)]
    return ImageChops.multiply(mask, spots.point(kept))


def _rule(rng: np.random.Generator, sheet: LineSheet, em: float) -> None:
    """Lines of ink that are no letters: under words, around cells, down the side."""
    if rng.random() > 0.15 or not sheet.texts:
        return
    draw = ImageDraw.Draw(sheet.mask)
    _, regions = sheet.truth()
    thick = max(1, round(em * rng.uniform(0.03, 0.09)))
    words = [region for region in regions if region.kind == "word"]
    lines = [region for region in regions if region.kind == "line"]
    ink = int(rng.integers(120, 256))
    way = rng.random()
    for region in lines if way < 0.5 else words:
        if rng.random() < (0.6 if way < 0.5 else 0.15):
            x1, _, x2, y2 = region.box
            y = y2 - em * rng.uniform(0.02, 0.16)
            draw.line([(x1, y), (x2, y)], ink, thick)
    if way < 0.15:
        x1, y1, x2, y2 = lines[int(rng.integers(len(lines)))].box
        draw.rectangle(
            [x1 - 0.3 * em, y1 - 0.15 * em, x2 + 0.3 * em, y2 + 0.15 * em], outline=ink, width=thick
        )
