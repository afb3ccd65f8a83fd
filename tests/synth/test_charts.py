"""Charts: the answer holds every number drawn, what is drawn is as large as it says, and no text is hidden."""

from __future__ import annotations

import json
import pickle
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from got_ocr2.errors import InvalidOptionError, MissingDependencyError
from got_ocr2.synth.charts import with_matplotlib as chart_matplotlib
from got_ocr2.synth.charts import with_svg as chart_svg
from got_ocr2.synth.charts.data import CHART_KINDS, ChartData, nice_ticks, random_chart
from got_ocr2.synth.charts.engine import LIBRARIES, ChartEngine
from got_ocr2.synth.charts.look import Look, collide, cover, cross, random_look, with_headings
from got_ocr2.synth.corpora.catalog import text_pool
from got_ocr2.synth.fonts.catalog import fonts

pytest.importorskip("matplotlib")

COUNT = 16
RED, GREEN, BLUE = "#e41a1c", "#4daf4a", "#377eb8"


@pytest.fixture(scope="module")
def samples():
    return [ChartEngine().sample(5, index) for index in range(COUNT)]


def a_look(**changes: object) -> Look:
    face = next(face for face in fonts("sans", italic=False) if not face.axes)
    settings: dict[str, object] = {
        "width": 400, "height": 300, "face": face, "size": 12.0, "title_size": 16.0, "colours": (RED, GREEN, BLUE),
        "ground": "#ffffff", "plot_ground": "#ffffff", "grid": "", "frame": False, "bar_share": 0.6,
        "line_width": 2.0, "marker": 0, "turn": 0, "legend": "right", "donut": False, "title_left": False,
    }  # fmt: skip
    return Look(**{**settings, **changes})  # type: ignore[arg-type]


def a_chart(kind: str, values: tuple[tuple[float, ...], ...], printed: bool = False) -> ChartData:
    names = tuple("ABCDEFG"[: len(values[0])])
    series = ("",) if len(values) == 1 else ("One", "Two", "Three")[: len(values)]
    return ChartData(kind, "T", "S", "", "", names, series, values, (), 0, "", False, printed)  # type: ignore[arg-type]


def of_colour(picture: Image.Image, colour: str) -> np.ndarray:
    """bool (H, W): where the picture has a colour."""
    wanted = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    return (np.abs(np.asarray(picture, int) - wanted) < 12).all(axis=-1)


def test_the_answer_is_one_line_of_json(samples):
    for sample in samples:
        answer = json.loads(sample.text)
        assert "\n" not in sample.text
        assert list(answer) == ["title", "source", "x_title", "y_title", "values"]
        assert all(isinstance(answer[key], str) and answer[key] for key in list(answer)[:4])
        rows = list(answer["values"].values())
        numbers = [n for row in rows for n in row.values()] if isinstance(rows[0], dict) else rows
        assert all(np.isfinite(float(number.rstrip("%").replace(",", ""))) for number in numbers)
        assert sample.task.format


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_number_drawn_is_in_the_answer(library, monkeypatch):
    """What the libraries are told to write is recorded: the numbers at bars, lines and slices."""
    written: list[str] = []
    owner, name = {
        "svg": (chart_svg._Canvas, "text"),
        "matplotlib": (chart_matplotlib._Drawing, "_write"),
    }[library]
    real = getattr(owner, name)

    def recorded(self, *args, **options):
        written.extend(arg for arg in args if isinstance(arg, str))
        return real(self, *args, **options)

    monkeypatch.setattr(owner, name, recorded)
    seen = Counter()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        data = random_chart(rng, text_pool())
        written.clear()
        LIBRARIES[library](data, random_look(rng, data.answer(), 8, "train"), rng)
        inside = json.loads(data.answer())["values"]
        rows = list(inside.values())
        numbers = [n for row in rows for n in row.values()] if isinstance(rows[0], dict) else rows
        for number in numbers if data.printed else ():
            assert any(text == number or text.endswith(number) for text in written), (data, written)
        if library == "matplotlib" and not data.printed:
            assert not written
        seen[data.printed] += 1
    assert min(seen[True], seen[False]) > 2


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("kind", ["bar", "barh"])
def test_bars_are_as_long_as_the_answer_says(library, kind):
    values = ((30.0, 60.0, 90.0), (75.0, 15.0, 45.0))
    picture = LIBRARIES[library](a_chart(kind, values), a_look(), np.random.default_rng(0))
    assert picture is not None
    longest = 0.0
    for row, colour in zip(values, (RED, GREEN), strict=True):
        mask = of_colour(picture, colour)
        mask = mask if kind == "bar" else mask.T
        mask = mask[:, : mask.shape[1] * 4 // 5] if kind == "bar" else mask  # leaves the legend out
        lengths = mask.sum(axis=0)
        plateaus = [
            int(np.median(run))
            for run in np.split(lengths, np.flatnonzero(np.diff(lengths > 20)) + 1)
            if run[0] > 20
        ]
        plateaus = plateaus[-3:] if kind == "barh" else plateaus[:3]
        assert len(plateaus) == 3
        ratio = np.array(plateaus) / row
        longest = longest or float(ratio.mean())
        assert np.allclose(ratio, longest, rtol=0.06)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("donut", [False, True])
def test_slices_are_as_large_as_the_answer_says(library, donut):
    values = ((50.0, 30.0, 20.0),)
    picture = LIBRARIES[library](
        a_chart("pie", values, True), a_look(donut=donut, size=9.0), np.random.default_rng(2)
    )
    assert picture is not None
    areas = np.array([of_colour(picture, colour).sum() for colour in (RED, GREEN, BLUE)])
    assert np.allclose(areas / areas.sum(), [0.5, 0.3, 0.2], atol=0.02)


@pytest.mark.parametrize("library", LIBRARIES)
def test_points_stand_where_the_answer_says(library):
    data = ChartData(
        "scatter", "", "", "", "", (), ("",), ((10.0, 40.0, 80.0),), ((5.0, 20.0, 10.0),), 0, "", False, False
    )
    picture = LIBRARIES[library](data, a_look(marker=6), np.random.default_rng(0))
    assert picture is not None
    ys, xs = np.nonzero(of_colour(picture, RED))
    by_column = np.argsort(xs)
    groups = np.split(by_column, np.flatnonzero(np.diff(xs[by_column]) > 3) + 1)
    assert len(groups) == 3
    (x0, y0), (x1, y1), (x2, y2) = [(xs[g].mean(), ys[g].mean()) for g in groups]  # x = 5, 10, 20
    assert (x2 - x0) / (x1 - x0) == pytest.approx(3, abs=0.1)
    assert (y0 - y1) / (y0 - y2) == pytest.approx(70 / 30, abs=0.1)


@pytest.mark.parametrize("library", LIBRARIES)
def test_texts_that_would_collide_are_refused(library):
    crowded = a_chart("line", ((50.0, 51.0, 50.0),) * 2, printed=True)
    assert LIBRARIES[library](crowded, a_look(), np.random.default_rng(0)) is None


def test_matplotlib_may_not_lose_text():
    blank = Image.new("RGB", (50, 20), "white")
    assert not chart_matplotlib._all_inked(np.asarray(blank), [(5, 5, 20, 15)])
    blank.putpixel((8, 8), (0, 0, 0))
    assert chart_matplotlib._all_inked(np.asarray(blank), [(5, 5, 20, 15)])


def test_pictures_have_a_clear_edge(samples):
    for sample in samples:
        pixels = np.asarray(sample.image, int)
        edges = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
        assert (edges == pixels[0, 0]).all()
        assert pixels.std() > 5


def test_all_kinds_and_libraries_occur(samples):
    assert {sample.meta["library"] for sample in samples} == set(LIBRARIES)
    assert len({sample.meta["chart"] for sample in samples}) >= 5
    only = ChartEngine(kinds=("pie",), libraries=("svg",))
    assert {only.sample(0, index).meta["chart"] for index in range(3)} == {"pie"}


def test_same_seed_and_index_give_the_same_bytes(samples):
    for index in (1, 2, 3, 4):
        again = pickle.loads(pickle.dumps(ChartEngine())).sample(5, index)
        assert again.text == samples[index].text
        assert again.image.tobytes() == samples[index].image.tobytes()
    assert ChartEngine().sample(6, 1).text != samples[1].text


def test_random_tables_are_sound():
    pool = text_pool()
    for seed in range(200):
        data = random_chart(np.random.default_rng(seed), pool)
        assert data.kind in CHART_KINDS
        assert len(data.values) == len(data.series)
        assert len(set(data.categories)) == len(data.categories)
        assert len(set(data.series)) == len(data.series)
        for k, row in enumerate(data.values):
            keys = data.xs[k] if data.kind == "scatter" else data.categories
            assert len(row) == len(keys) >= 2
            assert len(set(keys)) == len(keys)
            for value in row:  # what is written is the value itself, not a rounding of it
                assert float(data.written(value).rstrip("%").replace(",", "")) == pytest.approx(
                    value, abs=1e-9
                )


def test_the_answers_of_small_charts():
    assert a_chart("bar", ((1.0, 2.0),)).answer() == (
        '{"title": "T", "source": "S", "x_title": "None", "y_title": "None", "values": {"A": "1", "B": "2"}}'
    )
    two = json.loads(a_chart("bar", ((1.0, 2.0), (3.0, 4.0))).answer())
    assert two["values"] == {"One": {"A": "1", "B": "2"}, "Two": {"A": "3", "B": "4"}}


@pytest.mark.parametrize(("low", "high"), [(0, 7.3), (-3.2, 9), (0, 0.04), (12_000, 98_000), (-80, -3)])
def test_ticks_are_round_and_span_the_numbers(low, high):
    ticks = nice_ticks(low, high)
    assert ticks[0] <= low
    assert ticks[-1] >= high
    assert 3 <= len(ticks) <= 12
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[0])
    assert float(f"{steps[0]:e}".split("e")[0]) in (1, 2, 5)


def test_collisions():
    assert not collide([(0, 0, 10, 10), (12, 0, 20, 10)])
    assert collide([(0, 0, 10, 10), (9, 5, 20, 10)])
    assert cross([(5, 5, 15, 10)], (0, 0, 10, 10))
    assert not cross([(2, 2, 8, 8)], (0, 0, 10, 10))
    bars = [(0, 0, 10, 50), (10, 0, 20, 80)]
    assert not cover([(2, 55, 8, 60), (12, 85, 18, 90)], bars, within=False)
    assert cover([(2, 20, 14, 30), (12, 85, 18, 90)], bars, within=False)
    assert cover([(2, 45, 8, 55), (12, 20, 18, 30)], bars, within=True)


@pytest.mark.parametrize("hues", [1, 4, 8])
def test_colours_can_be_told_apart(hues):
    for seed in range(20):
        look = random_look(np.random.default_rng(seed), "Abc", hues, "train")
        rgb = [[int(colour[k : k + 2], 16) for k in (1, 3, 5)] for colour in look.colours[:hues]]
        assert all(np.linalg.norm(np.subtract(a, b)) > 50 for i, a in enumerate(rgb) for b in rgb[:i])


def test_headings_break_into_lines():
    plot = Image.new("RGB", (220, 100), "white")
    short, long = (with_headings(plot, a_look(), title, "", 5) for title in ("Short", "A long title " * 8))
    assert long.height > short.height
    assert long.width == short.width == 230


@pytest.mark.parametrize(
    "options", [{"split": "dev"}, {"kinds": ()}, {"kinds": ("radar",)}, {"libraries": ("gnuplot",)}]
)
def test_unknown_options_are_refused(options):
    with pytest.raises(InvalidOptionError, match=r"must be|is one of"):
        ChartEngine(**options)


def test_a_missing_matplotlib_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingDependencyError, match="synth"):
        ChartEngine(libraries=("matplotlib",)).sample(0, 0)
