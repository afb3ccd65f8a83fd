"""Chart dictionaries: read as Python and JSON read them, mended where they break; the same numbers in every format."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import time
import xml.etree.ElementTree as ET
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import load_workbook
from PIL import Image

from got_ocr2.errors import InvalidOptionError, RenderError
from got_ocr2.rendering import render
from got_ocr2.rendering.charts.chart import look_of, number_in, parse_chart
from got_ocr2.rendering.charts.literal import read_dict
from got_ocr2.synth.charts.data import random_chart
from got_ocr2.synth.corpora.catalog import text_pool

SET = Path(__file__).parents[2] / "testsets" / "chart" / "data.jsonl"
TRUTHS = [json.loads(line)["text"] for line in SET.read_text(encoding="utf-8").splitlines()]
# Quotes of all sorts are tried apart: unless they are escaped, nobody can tell which of them end a name.
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\"'“”‘’"), max_size=12)
values = st.recursive(
    names | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=15,
)


def reasons(text):
    return [str(problem) for problem in parse_chart(text).problems]


def options_of(page):
    found = re.search(r"chart\.setOption\((.*)\);\n", page)
    return json.loads(found.group(1))


def test_frozen_truths_keep_every_number_in_every_format():
    for truth in TRUTHS:
        told = json.loads(truth)
        chart = parse_chart(truth, strict=True)
        assert json.loads(chart.answer()) == told
        rows = list(csv.reader(io.StringIO(render(truth, "csv").text)))
        inner = told["values"]
        if not all(isinstance(one, dict) for one in inner.values()):
            inner = {rows[0][1]: inner}
        from_csv = {
            name: {row[0].lstrip("'"): row[k] for row in rows[1:] if row[k]}
            for k, name in enumerate(rows[0])
            if k
        }
        assert from_csv == inner
        assert json.loads(render(truth, "json").text) == told


def test_charts_that_the_data_engine_makes_up():
    pool = text_pool(split="test")
    for seed in range(500):
        truth = random_chart(np.random.default_rng(seed), pool).answer()
        assert json.loads(parse_chart(truth, strict=True).answer()) == json.loads(truth)


@pytest.mark.parametrize("look", ["auto", "bar", "barh", "stacked", "line"])
def test_pages_and_drawings_hold_the_numbers(look):
    truth = TRUTHS[2]
    chart = parse_chart(truth)
    options = options_of(render(truth, "html", look=look).text)
    drawn = {one["name"]: one["data"] for one in options["series"]}
    assert drawn.keys() == {one.name for one in chart.series}
    for one in chart.series:
        numbers = [value[-1] if isinstance(value, list) else value for value in drawn[one.name]]
        assert numbers == [amount.value for amount in one.amounts.values()]
    svg = render(truth, "svg", look=look).data
    root = ET.fromstring(svg)
    shown = {"".join(text.itertext()).strip() for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {chart.title, *chart.categories, *(one.name for one in chart.series)} <= shown
    assert render(truth, "svg", look=look).data == svg


def test_points_and_slices():
    points = parse_chart(TRUTHS[0])
    series = options_of(render(TRUTHS[0], "html").text)["series"]
    assert [one["type"] for one in series] == ["scatter", "scatter"]
    assert series[1]["data"] == [[number_in(x), y.value] for x, y in points.series[1].amounts.items()]
    slices = options_of(render(TRUTHS[1], "html").text)["series"][0]
    assert slices["type"] == "pie"
    assert {one["name"]: one["value"] for one in slices["data"]}["G"] == 23.26


def test_workbook_has_numbers_and_never_formulas():
    text = json.dumps(
        {"title": "=1+1", "values": {"=cmd|' /C calc'!A0": "1,234.5", "@b": "-3", "c": "12.5%", "d": None}}
    )
    book = load_workbook(io.BytesIO(render(text, "xlsx").data))
    cells = [[(cell.value, cell.data_type) for cell in row] for row in book["Values"].iter_rows()]
    assert cells[1] == [("=cmd|' /C calc'!A0", "s"), (1234.5, "n")]
    assert cells[2] == [("@b", "s"), (-3, "n")]
    assert cells[3] == [("c", "s"), (0.125, "n")]
    assert cells[4] == [("d", "s"), (None, "n")]
    assert book["About"]["B1"].data_type == "s"
    rows = list(csv.reader(io.StringIO(render(text, "csv").text)))
    assert [row[0] for row in rows[1:]] == ["'=cmd|' /C calc'!A0", "'@b", "c", "d"]
    assert [row[1] for row in rows[1:]] == ["1,234.5", "-3", "12.5%", ""]


@pytest.mark.parametrize(
    ("text", "answer", "said"),
    [
        ('{"values": {"a": "1", "b": "2', {"a": "1", "b": "2"},
         ["line 1, column 30: the chart is cut; what was open was closed, and its last entry may be incomplete"]),
        ('{"values": {"a": "1", "b', {"a": "1"},
         ["line 1, column 25: the chart is cut; what was open was closed, and its last entry may be incomplete"]),
        ("{'values': {'Women's': 3}}", {"Women's": "3"},
         ["line 1, column 19: ' within a name in '' was taken for a letter"]),
        ('{"values": {"a": 1 "b": 2,, "c" "3"}}', {"a": "1", "b": "2", "c": "3"},
         ["line 1, column 27: a comma too many was left out", "line 1, column 33: a colon is missing after 'c'"]),
        ("Chart:\n{'values': {'a': 1}}\nDone", {"a": "1"},
         ["line 1, column 1: text before the chart was left out",
          "line 3, column 1: text after the chart was left out"]),
        ("{'values': {'a': 1}}}}", {"a": "1"}, ["line 1, column 21: closing brackets too many were left out"]),
        ("{'values': {'a': 1]}", {"a": "1"}, ["line 1, column 19: ']' stands where '}' must"]),
        ("{'values': {'a': 1, 'a': 2}}", {"a": "2"}, ["line 1, column 21: 'a' stands twice; its last value counts"]),
        ("{'values': {'a': 1, 'b': many}}", {"a": "1", "b": "None"},
         ["line 1: 'many' at 'b' is no number; it was left out", "line 1, column 26: 'many' stands without quotes"]),
        ("{'values': {'a': 1}, 'colour': 'red'}", {"a": "1"},
         ["line 1: 'colour' has no place in a chart; it was left out"]),
        ("{'a': 1, 'b': None}", {"a": "1", "b": "None"}, []),
        ("{'values': {'s': [1, 2.5, None]}}", {"s": {"1": "1", "2": "2.5", "3": "None"}}, []),
    ],
)  # fmt: skip
def test_what_is_mended_is_said(text, answer, said):
    assert json.loads(parse_chart(text).answer())["values"] == answer
    assert sorted(reasons(text)) == sorted(said)
    if said:
        with pytest.raises(RenderError, match="The chart is not as it should be: line 1"):
            render(text, "json", "chart", strict=True)


@given(st.dictionaries(names, values, max_size=5))
@settings(max_examples=150, deadline=None)
def test_json_and_python_are_read_as_they_are(value):
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1), repr(value)):
        read = read_dict(text)
        assert (read.value, read.problems) == (value, ())


@given(
    st.dictionaries(
        st.text("abcäß '\"\\{}[],:", min_size=1, max_size=6), st.integers(-999, 9999).map(str), max_size=5
    )
)
@settings(max_examples=150, deadline=None)
def test_json_with_escapes(value):
    text = json.dumps(value)
    if re.search(r'"\s*[:,}\]"\'“‘)]', "".join(value)) is None:
        assert read_dict(text).value == value


@given(st.integers(0, 10_000), st.integers(0, len(TRUTHS) - 1))
@settings(max_examples=150, deadline=None)
def test_half_written_charts_keep_what_was_whole(cut, which):
    truth = TRUTHS[which]
    text = truth[: cut % len(truth)]
    chart = None
    with suppress(RenderError):
        chart = parse_chart(text)
    if chart is None:
        assert not re.search(r'": "[^"]*\d[^"]*"', text.partition('"values"')[2])
        return
    assert any("the chart is cut" in problem.reason for problem in chart.problems)
    whole = parse_chart(truth)
    for mine, theirs in zip(chart.series, whole.series, strict=False):
        mine_items, their_items = list(mine.amounts.items()), list(theirs.amounts.items())
        if mine.name == theirs.name:
            assert mine_items[:-1] == their_items[: len(mine_items) - 1]


def test_series_of_one_name_are_told_apart():
    chart = parse_chart('{"values": {"": {"1990": "3"}, "1991": "4"}}')
    assert sorted(one.name for one in chart.series) == ["", "(2)"]
    assert any("two series" in problem.reason for problem in chart.problems)
    assert parse_chart(chart.answer()).series == chart.series


@given(st.text("{}[]()'\":,\\ab1.-% \nN", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text):
    try:
        chart = parse_chart("{" + text)
    except RenderError:
        return
    again = parse_chart(chart.answer())
    assert [one.amounts for one in again.series] == [one.amounts for one in chart.series]


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5), ("-1,234.5", -1234.5), ("$5.2", 5.2), ("12%", 12), ("−3", -3), ("1e3", 1000), (".5", 0.5), ("7 km", 7),
     ("", None), ("a", None), ("1-2", None), ("1e999", None), ("1.2.3", None)],
)  # fmt: skip
def test_numbers_in_cells(text, number):
    assert number_in(text) == number


@pytest.mark.parametrize(
    ("values", "look"),
    [
        ({"a": "40%", "b": "60%"}, "pie"),
        ({"a": "40%", "b": "70%"}, "bar"),
        ({"1990": "4", "1991": "5", "1992": "2"}, "line"),
        ({"Jan": "4", "Feb": "5", "Mar": "2"}, "line"),
        ({"1": "4", "7": "5", "9": "2"}, "scatter"),
        ({"1": "4", "2": "5", "3": "2"}, "line"),
        ({"5-9": "4", "10-14": "5", "15-19": "2"}, "bar"),
        ({"Chad": "4", "Peru": "5", "Fiji": "2"}, "bar"),
    ],
)
def test_how_a_chart_is_drawn_is_guessed(values, look):
    assert look_of(parse_chart(json.dumps({"values": values}))) == look


def test_wrong_arguments():
    with pytest.raises(InvalidOptionError, match=r"look is one of auto, bar, .* got 'radar'"):
        render(TRUTHS[2], "svg", look="radar")
    with pytest.raises(InvalidOptionError, match="A pie chart shows one series"):
        render(TRUTHS[2], "png", look="pie")
    with pytest.raises(InvalidOptionError, match="needs categories that are numbers"):
        render(TRUTHS[2], "html", look="scatter")
    with pytest.raises(InvalidOptionError, match="width is 100 to 8000 pixels, got 1"):
        render(TRUTHS[2], "png", width=1)
    with Image.open(io.BytesIO(render(TRUTHS[2], "png", width=640, height=400).data)) as picture:
        assert picture.size == (640, 400)


def test_hostile_names_are_inert():
    evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>$\\frac{1}{0}$"
    evil += "--x_x--0_0--alert(3)--x_x--0_0--"  # pyecharts takes what stands between such marks for code
    text = json.dumps(
        {
            "title": evil,
            "source": evil,
            "x_title": evil,
            "values": {evil: {evil: "1", "b": "2"}, "s": {"b": "1"}},
        }
    )
    page = render(text, "html").text
    assert page.count("<script>") == page.count("</script>") == 2
    assert "<img" not in page.partition("<script>")[0]
    assert "connect-src" not in page
    assert "default-src 'none'" in page
    assert "http" not in page.partition("<script>")[0].replace("http-equiv", "")
    assert html.escape(evil) in page
    assert options_of(page)["title"][0]["text"] == evil[:300]
    assert options_of(page)["tooltip"]["renderMode"] == "richText"
    svg = render(text, "svg").text
    root = ET.fromstring(svg)
    assert not [node for node in root.iter() if node.tag.endswith(("script", "image", "foreignObject"))]
    control = render('{"values": {"a\\u0000\\u0007\\ud800": "1", "\\u202eb": "2"}}', "svg", "chart").text
    ET.fromstring(control)


def test_hostile_input_is_bounded():
    start = time.process_time()
    with pytest.raises(RenderError, match="at most 1,000,000 characters, got 10,000,000"):
        parse_chart("{" * 10_000_000)
    for text in ("{" * 200_000, "{'a':" * 40_000, "{'a': " + "[" * 200_000):
        with pytest.raises(RenderError, match=r"at most 12 deep|no numbers"):
            parse_chart(text)
    for text in ("{" + "'" * 200_000, "{'" + "' " * 100_000, "{'a': 1" + "," * 200_000, "{'a': 1" + "}" * 200_000,
                 "{'a': " + "\\" * 200_000, "{" + "a" * 200_000, "{'a': '" + "1" * 200_000):  # fmt: skip
        with suppress(RenderError):
            assert len(parse_chart(text).problems) <= 110
    many = json.dumps({"values": {str(k): "1" for k in range(20_001)}})
    with pytest.raises(RenderError, match="at most 20,000 numbers, got 20,001"):
        parse_chart(many)
    some = json.dumps({"values": {f"n{k}": str(k) for k in range(2001)}})
    with pytest.raises(RenderError, match="at most 2000 numbers can be drawn, got 2001"):
        render(some, "svg")
    assert render(some, "csv").text.count("\n") == 2002
    assert time.process_time() - start < 60


def test_nothing_is_evaluated(tmp_path):
    target = tmp_path / "made"
    text = f"{{'values': {{'a': __import__('pathlib').Path('{target}').touch(), 'b': 2}}}}"
    with pytest.raises(RenderError, match="no numbers"):
        parse_chart(text)
    assert not target.exists()
