"""Geometry: the answer draws the same picture again, keeps to its convention, and its labels can be read."""

from __future__ import annotations

import pickle
import re
import sys

import numpy as np
import pytest
from PIL import Image, ImageChops

from got_ocr2.errors import GotOcr2Error, InvalidOptionError, MissingDependencyError
from got_ocr2.synth.fonts.catalog import fonts
from got_ocr2.synth.geometry import axes_figures, figure_tools, tikz_labels
from got_ocr2.synth.geometry.engine import FAMILIES, GeometryEngine, draw_tikz
from got_ocr2.synth.geometry.math_labels import Faces, set_label
from got_ocr2.synth.geometry.tikz import COLOURS, Arc, Dot, Ellipse, Label, Path, Pen, Ticks, document, number
from got_ocr2.synth.geometry.tikz_svg import draw_commands

tikra = pytest.importorskip("tikra")

COUNT = 40
PAIR = re.compile(r"\((-?[\d.]+),(-?[\d.]+)\)")


@pytest.fixture(scope="module")
def samples():
    return [GeometryEngine().sample(21, index) for index in range(COUNT)]


def ink_of(picture: Image.Image) -> Image.Image:
    """The picture without its white border."""
    box = ImageChops.invert(picture.convert("L")).getbbox()
    assert box is not None
    return picture.crop(box)


def layer(lines: list[str]) -> np.ndarray:
    """bool (H, W): what some commands paint, all layers of one figure having the same frame."""
    frame = "\\useasboundingbox (-9,-9) rectangle (15,15);"
    code = "\n".join(["\\begin{tikzpicture}", frame, *lines, "\\end{tikzpicture}"])
    return np.asarray(draw_tikz(code, 30).convert("L")) < 160


def test_the_answer_draws_the_same_picture(samples):
    for sample in samples:
        again = draw_tikz(sample.text, sample.meta["pixels_per_cm"])
        drawn = ink_of(sample.image)
        shape = ink_of(again)
        assert abs(shape.width - drawn.width) <= 1
        assert abs(shape.height - drawn.height) <= 1
        shape = shape.resize(drawn.size)
        different = np.asarray(ImageChops.difference(shape, drawn).convert("L"), float)
        assert different.mean() < 3


def test_the_answer_is_one_command_a_line(samples):
    for sample in samples:
        first, *commands, last = sample.text.splitlines()
        assert (first, last) == ("\\begin{tikzpicture}", "\\end{tikzpicture}")
        assert commands
        assert all(re.fullmatch(r"\\(draw|fill|node|foreach) .+;", command) for command in commands)
        assert len(set(commands)) == len(commands)
        assert sample.task.format


def test_figures_without_axes_measure_ten_from_the_origin(samples):
    seen = 0
    for sample in samples:
        if "\\foreach" in sample.text:
            continue
        points: list[tuple[float, float]] = []
        for command in sample.text.splitlines():
            if not command.startswith("\\draw") or " arc " in command:
                continue
            pairs = [(float(x), float(y)) for x, y in PAIR.findall(command)]
            if len(pairs) > 1 and np.ptp(pairs, axis=0).max() < 0.75:
                continue  # a mark on a side or in an angle
            radii = re.search(r"(?:circle|ellipse) \(([\d.]+)(?: and ([\d.]+))?\)", command)
            a, b = (float(radii[1]), float(radii[2] or radii[1])) if radii else (0.0, 0.0)
            points += [(x + s * a, y + s * b) for x, y in pairs for s in (-1, 1)]
        low, high = np.min(points, axis=0), np.max(points, axis=0)
        assert np.abs(low).max() <= 0.011
        assert abs((high - low).max() - 10) <= 0.021
        seen += 1
    assert seen > COUNT // 2


def test_labels_stand_clear_of_lines_and_of_one_another(samples):
    for sample in samples[:12]:
        commands = sample.text.splitlines()[1:-1]
        nodes = [command for command in commands if command.startswith("\\node")]
        lines = layer([command for command in commands if not command.startswith("\\node")])
        taken = lines.astype(int)
        for node in nodes:
            taken += layer([node])
        assert taken.max() <= 1, sample.text


def test_text_boxes_are_where_the_text_is():
    for anchor in (*tikz_labels.ANCHORS, ""):
        label = Label("$B_1$", (2.0, 1.0), anchor, "\\small")
        left, bottom, right, top = tikz_labels.label_box(label)
        ys, xs = np.nonzero(layer([label.line()]))
        scale, origin = 30.0, -9.0
        assert left - 0.07 <= xs.min() / scale + origin
        assert xs.max() / scale + origin <= right + 0.07
        assert bottom - 0.07 <= 24 - ys.max() / scale + origin
        assert 24 - ys.min() / scale + origin <= top + 0.07


def test_both_renderers_draw_the_same_lines():
    """Tikra reads the text, the plain renderer never does: they agree only if the text says what is meant."""
    engine = GeometryEngine(axes=0.3, colours=0.6)
    compared = 0
    for seed in range(40):
        _, commands = engine._figure(np.random.default_rng(seed))
        if commands is None or any(isinstance(command, Ticks) for command in commands):
            continue
        lines = [command for command in commands if not isinstance(command, Label)]
        ours = ink_of(draw_commands(lines, 40, np.random.default_rng(0)))
        theirs = ink_of(draw_tikz(document(lines), 40))
        assert abs(ours.width - theirs.width) <= 3
        assert abs(ours.height - theirs.height) <= 3
        soft = [picture.resize((160, 160), Image.Resampling.BOX) for picture in (ours, theirs)]
        assert np.abs(np.asarray(soft[0], float) - np.asarray(soft[1], float)).mean() < 3, document(lines)
        compared += 1
    assert compared > 20


@pytest.mark.parametrize("colour", COLOURS)
def test_colours_are_tikz_s_own(colour):
    pen = Pen(colour, fill=(colour, 100))
    square = Path(((0, 0), (1, 0), (1, 1), (0, 1)), closed=True, pen=pen)
    pictures = (draw_commands([square], 40, np.random.default_rng(0)), draw_tikz(document([square]), 40))
    ours, theirs = (np.array(picture.getpixel((20, 20))) for picture in pictures)
    assert np.abs(ours - theirs).max() <= 2


def test_the_plain_renderer_draws_whole_samples():
    engine = GeometryEngine(renderer="plain", axes=0.5)
    for index in range(12):
        sample = engine.sample(4, index)
        assert sample.text == GeometryEngine(axes=0.5).sample(4, index).text
        assert sample.meta["renderer"] == "plain"
        assert np.asarray(sample.image.convert("L")).min() < 140


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A", "A"), ("$A_1$", "A1"), ("$-3$", "−3"), ("$60^\\circ$", "60°"), ("$y=\\frac{1}{x}$", "y=1x"),
        ("$12$ cm", "12 cm"),
        ("$2\\sin 2x$", "2sin 2x"), ("$0.5(x+1)^2-3$", "0.5(x+1)2−3"), ("$\\sqrt{x}$", "x"), ("$|x-1|$", "|x−1|"),
    ],
)  # fmt: skip
def test_labels_are_set_in_type(text, shown):
    face = next(face for face in fonts("serif", italic=False) if face.covers("°−") and not face.axes)
    setting = set_label(text, Faces(face, face), 20)
    assert "".join(piece.text for piece in setting.pieces).replace("  ", " ") == shown
    assert setting.width > 0
    assert setting.ascent > 5
    assert len(setting.strokes) == ("frac" in text) + ("sqrt" in text)


@pytest.mark.parametrize(("text", "words"), [("$A", "dollar"), ("$\\foo$", "foo"), ("$x^{2$", "brace")])
def test_labels_that_are_not_understood_are_refused(text, words):
    face = fonts("serif")[0]
    with pytest.raises(InvalidOptionError, match=words):
        set_label(text, Faces(face, face), 20)


def test_every_kind_of_figure_occurs():
    engine = GeometryEngine(axes=0.3)
    seen = {engine._figure(np.random.default_rng(seed))[0] for seed in range(200)}
    assert seen == {family.__name__ for family, _ in FAMILIES} | {"graphs", "coordinates"}


def test_graphs_follow_their_formulas():
    """The points that labels keep clear of lie on the curve that TikZ draws from the formula."""
    rng = np.random.default_rng(0)
    names = {"sin": np.sin, "cos": np.cos, "sqrt": np.sqrt, "exp": np.exp, "ln": np.log, "abs": np.abs}
    for make in axes_figures._CURVES:
        for _ in range(10):
            curve = make(rng)
            code = curve.tikz.replace("\\x", "x").replace("^", "**").replace(" r)", ")")
            for x in (0.3, 1.0, 2.6):
                assert curve.value(x) == pytest.approx(eval(code, {"__builtins__": {}}, {**names, "x": x}))


def test_a_fill_hides_nothing(samples):
    for sample in samples:
        fills = [k for k, command in enumerate(sample.text.splitlines()) if "fill=" in command]
        assert len(fills) <= 1
        assert fills in ([], [1], [2])  # below all lines; a grid may come first


def test_numbers_are_short():
    assert [number(value) for value in (0, -0.001, 3.0, 2.50, -1.25, 10)] == [
        "0",
        "0",
        "3",
        "2.5",
        "-1.25",
        "10",
    ]


def test_commands_in_tikz():
    pen = Pen("blue", "thick", "dashed", ("red", 20), "->")
    assert Path(((0, 0), (1, 2.5)), pen=pen).line() == (
        "\\draw [->, thick, dashed, blue, fill=red!20] (0,0) -- (1,2.5);"
    )
    assert Ellipse((1, 1), (2, 2)).line() == "\\draw (1,1) circle (2);"
    assert Ellipse((1, 1), (2, 1)).line() == "\\draw (1,1) ellipse (2 and 1);"
    assert Arc((1, 1), 1, 0, 90).line() == "\\draw (2,1) arc (0:90:1);"
    assert Dot((0, 1), colour="red").line() == "\\fill [red] (0,1) circle (1.5pt);"
    assert Label("$A$", (0, 0), "above left", "\\small", "teal").line() == (
        "\\node [above left, teal, font=\\small] at (0,0) {$A$};"
    )


def test_paths_have_one_form():
    square = [(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0)]
    forms = set()
    for start in range(4):
        for corners in (square[start:] + square[:start], (square[start:] + square[:start])[::-1]):
            forms.add(Path(tuple(corners), closed=True).canonical())
    assert forms == {Path(tuple(square), closed=True)}
    assert Path(((1.0, 2.0), (0.0, 1.0))).canonical().points == ((0.0, 1.0), (1.0, 2.0))
    arrow = Path(((1.0, 2.0), (0.0, 1.0)), pen=Pen(arrow="->"))
    assert arrow.canonical() == arrow


def test_small_geometry():
    a, b, c = 0j, 4 + 0j, 1 + 3j
    centre = figure_tools.circumcentre(a, b, c)
    assert abs(centre - a) == pytest.approx(abs(centre - b)) == pytest.approx(abs(centre - c))
    assert figure_tools.foot(c, a, b) == pytest.approx(1)
    assert figure_tools.crossing(0j, 2 + 2j, 2 + 0j, 2j) == pytest.approx(1 + 1j)


def test_same_seed_and_index_give_the_same_bytes(samples):
    again = pickle.loads(pickle.dumps(GeometryEngine())).sample(21, 9)
    assert again.text == samples[9].text
    assert again.image.tobytes() == samples[9].image.tobytes()
    assert GeometryEngine().sample(22, 9).text != samples[9].text


def test_decimals_are_an_option():
    engine = GeometryEngine(decimals=1, axes=0)
    shapes = [
        c for k in range(8) for c in engine.sample(0, k).text.splitlines() if "cycle" in c or "circle (" in c
    ]
    assert shapes
    assert not any(re.search(r"\.\d\d", shape) for shape in shapes)


@pytest.mark.parametrize(
    "options",
    [
        {"axes": 1.1},
        {"colours": -0.1},
        {"centimetre": (5.0, 50.0)},
        {"centimetre": (60.0, 50.0)},
        {"decimals": 3},
    ],
)
def test_options_out_of_range_are_refused(options):
    with pytest.raises(InvalidOptionError, match=r"must|outside"):
        GeometryEngine(**options)


def test_a_figure_that_tikra_does_not_understand_is_an_error():
    with pytest.raises(GotOcr2Error, match="circl"):
        draw_tikz("\\begin{tikzpicture}\n\\draw (0,0) circl (1);\n\\end{tikzpicture}", 30)


def test_a_missing_tikra_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "tikra", None)
    tikz_labels.text_size.cache_clear()
    with pytest.raises(MissingDependencyError, match="synth"):
        GeometryEngine().sample(0, 0)
