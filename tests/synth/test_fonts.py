"""Fonts: what is at hand, what is held out, and that no glyph is believed that contradicts its character."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from got_ocr2.errors import InvalidOptionError
from got_ocr2.synth.fonts import catalog as module
from got_ocr2.synth.fonts.catalog import STYLES, TEST_FAMILIES, coverage, families, fonts, pick_font

LATIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.,:;!?'\"()-/"


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch):
    """Restricts the sources of fonts for one test."""

    def restrict(sources: str, own: str = "") -> None:
        monkeypatch.setenv("GOT_OCR2_FONT_SOURCES", sources)
        monkeypatch.setenv("GOT_OCR2_FONTS", own)
        forget()

    def forget() -> None:
        for cached in (module._ranges, module._select, module.coverage):
            cached.cache_clear()

    yield restrict
    monkeypatch.undo()
    forget()


def test_the_bundled_families_alone_serve_both_splits(only) -> None:
    only("bundled")
    train, test = families(fonts()), families(fonts(split="test"))
    assert {faces[0].style for faces in train.values()} == {"serif", "sans", "mono", "handwriting"}
    assert {faces[0].style for faces in test.values()} == {"serif", "sans", "mono"}
    for face in (*fonts(), *fonts(split="test")):
        assert face.licence == "OFL-1.1"
        assert face.source == "bundled"
        assert "SIL OPEN FONT LICENSE" in (Path(face.path).parent / "LICENSE").read_text("utf-8").upper()


def test_no_family_is_in_both_splits() -> None:
    train, test = families(fonts()), families(fonts(split="test"))
    assert train.keys().isdisjoint(test)
    assert test.keys() <= TEST_FAMILIES


def test_the_order_follows_names_not_folders() -> None:
    names = [face.name.lower() for face in fonts("serif")]
    by_family = [face.family.lower() for face in fonts("serif")]
    assert by_family == sorted(by_family)
    assert len(names) > 3


def test_every_face_has_a_licence_and_draws_plain_latin() -> None:
    for face in fonts():
        assert face.licence
        assert face.source
        assert face.style in STYLES
        assert face.covers("ABC 0123 (x)".upper())


def test_filters_hold() -> None:
    assert all(face.style == "mono" for face in fonts("mono"))
    assert {face.style for face in fonts(("serif", "sans"))} == {"serif", "sans"}
    assert all(
        500 <= face.weight <= 700 and not face.italic for face in fonts(weights=(500, 700), italic=False)
    )


@pytest.mark.parametrize("options", [{"style": "gothic"}, {"split": "dev"}, {"script": "runes"}])
def test_unknown_options_are_refused(options: dict[str, str]) -> None:
    (value,) = options.values()
    with pytest.raises(InvalidOptionError, match=value):
        fonts(**options)  # type: ignore[arg-type]


def test_an_unknown_source_is_refused(only) -> None:
    only("bundled,clouds")
    with pytest.raises(InvalidOptionError, match="clouds"):
        fonts()


def test_weights_of_a_variable_font_look_different(only) -> None:
    only("bundled")
    light, bold = (face for face in fonts() if face.family == "Lora")
    assert (light.weight, bold.weight) == (400, 700)
    assert light.load(30).getlength("minimum") < bold.load(30).getlength("minimum")


def test_pick_takes_a_face_that_draws_everything() -> None:
    faces = fonts()
    rng = np.random.default_rng(3)
    for text in ("Straße, œuvre\nčaj", "x ≤ y", "ΑΒΓ"):
        face = pick_font(rng, text, faces)
        assert set(text) - {"\n"} <= coverage(face)


def test_pick_is_even_over_families() -> None:
    faces = [face for face in fonts() if face.family in ("Lora", "DM Mono")]
    rng = np.random.default_rng(0)
    picked = [pick_font(rng, "abc", faces).family for _ in range(200)]
    assert 60 < picked.count("DM Mono") < 140


def test_a_text_no_font_draws_is_an_error() -> None:
    with pytest.raises(InvalidOptionError, match="\U0001f98a"):
        pick_font(np.random.default_rng(0), "fox \U0001f98a", fonts())


def test_the_table_of_system_families_is_well_formed() -> None:
    rows = module._listed_families()
    lines = [
        line for line in (module._ASSETS / "families.tsv").read_text("utf-8").splitlines() if line[0] != "#"
    ]
    assert len(rows) == len(lines) > 100
    assert all(line.split("\t")[1] in STYLES for line in lines)
    assert all(licence and package.startswith("fonts-") for _, licence, package in rows.values())


def build_font(path: Path, shapes: dict[str, tuple[int, ...] | None]) -> None:
    """A TrueType font whose glyphs are polygons (x1, y1, x2, y2, ...); None is blank."""

    def outline(points: tuple[int, ...] | None):
        pen = TTGlyphPen(None)
        if points:
            corners = list(zip(points[::2], points[1::2], strict=True))
            pen.moveTo(corners[0])
            for corner in corners[1:]:
                pen.lineTo(corner)
            pen.closePath()
        return pen.glyph()

    names = {char: f"g{ord(char):04x}" for char in shapes}
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder([".notdef", *names.values()])
    builder.setupCharacterMap({ord(char): name for char, name in names.items()})
    box = (0, 0, 500, 0, 500, 700, 0, 700)
    builder.setupGlyf({".notdef": outline(box), **{names[char]: outline(s) for char, s in shapes.items()}})
    builder.setupHorizontalMetrics(dict.fromkeys([".notdef", *names.values()], (600, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": "Trial Face", "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


def distinct_shapes(text: str) -> dict[str, tuple[int, ...] | None]:
    return {char: (0, 0, 400 + 2 * n, 0, 300, 100 + 9 * n, 0, 700 - 7 * n) for n, char in enumerate(text)}


def test_glyphs_that_contradict_their_character_are_not_believed(tmp_path: Path, only) -> None:
    shapes = distinct_shapes(LATIN)
    shapes["ü"] = shapes["u"]  # lost its dots
    shapes["k"] = shapes["K"]  # a capital in the place of a small letter
    shapes["ç"] = None  # blank
    for char in "ąćĉďěğĝĥįĵķĺńőŕś":
        shapes[char] = (0, 0, 450, 0, 450, 690, 0, 690)  # a box for all that is missing
    shapes["ø"] = (0, 0, 250, 0, 310, 555, 0, 101)
    build_font(tmp_path / "trial.ttf", shapes)
    only("bundled", str(tmp_path))
    (face,) = (face for face in fonts() if face.family == "Trial Face")
    assert face.source == str(tmp_path)
    assert coverage(face) == set(LATIN) - {"k"} | {"ø"}


def test_a_font_of_capitals_only_has_no_small_letters(tmp_path: Path, only) -> None:
    shapes = distinct_shapes(LATIN)
    shapes |= {char: shapes[char.upper()] for char in "abcdefghij"}
    build_font(tmp_path / "capitals.ttf", shapes)
    only("bundled", str(tmp_path))
    (face,) = (face for face in fonts() if face.family == "Trial Face")
    assert not face.covers("z")
    assert face.covers("Z9")


def test_files_that_are_no_fonts_are_passed_over(tmp_path: Path, only) -> None:
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    only("bundled", str(tmp_path))
    assert all(face.source == "bundled" for face in fonts())
