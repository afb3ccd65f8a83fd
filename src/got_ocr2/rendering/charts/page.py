"""Interactive charts: an ECharts page with options by pyecharts, its script inside the file.

The page opens without a network. Whatever names stand in a chart, they are data of a JSON value in which no `<` is
left; the page's policy forbids it to load anything, and tooltips are drawn as text and never as HTML.
"""

from __future__ import annotations

import html
import json
from functools import lru_cache
from importlib.resources import files
from typing import Any, cast

from ...errors import RenderError
from ...extras import need
from ..rendered import Rendered
from .chart import Chart, Look, look_of, number_in, parse_chart

_MOST_DRAWN = 2000
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 1.5rem auto; max-width: 60rem; padding: 0 1rem; }}
#chart {{ height: 32rem; }}
table {{ border-collapse: collapse; margin-top: .5rem; }}
th, td {{ border: 1px solid #ccc; padding: .2rem .6rem; text-align: right; }}
th:first-child, td:first-child {{ text-align: left; }}
</style>
</head>
<body>
<div id="chart"></div>
<noscript><p>The drawing needs JavaScript; the numbers do not.</p></noscript>
{source}<details><summary>Numbers</summary>
<table>
{table}</table>
</details>
<script>{library}</script>
<script>
const chart = echarts.init(document.getElementById("chart"), null, {{renderer: "svg"}});
chart.setOption({options});
addEventListener("resize", () => chart.resize());
</script>
</body>
</html>
"""


def write_html(text: str, *, strict: bool = False, look: Look = "auto") -> Rendered:
    """An interactive page; the numbers stand below as a table, which needs no script.

    Args:
        text: the chart's dictionary.
        strict: raise on a problem.
        look: how to draw it; "auto" guesses, see `chart.look_of`.

    Raises:
        InvalidOptionError: an unknown look, or one that these numbers cannot have.
        MissingDependencyError: pyecharts is not installed.
        RenderError: what `chart.parse_chart` raises, or more than 2000 numbers.
    """
    chart = parse_chart(text, strict=strict)
    if (count := sum(len(one.amounts) for one in chart.series)) > _MOST_DRAWN:
        raise RenderError(f"A chart of at most {_MOST_DRAWN} numbers can be drawn, got {count}.")
    page = _PAGE.format(
        title=html.escape(chart.title or "Chart"),
        source=f"<p>Source: {html.escape(chart.source)}</p>\n" if chart.source else "",
        table=_table(chart),
        library=_library(),
        options=_in_script(_options(chart, look_of(chart, look))),
    )
    return Rendered.of(page, "html", "chart", chart.problems)


@lru_cache(maxsize=1)
def _library() -> str:
    return (files("got_ocr2") / "assets" / "echarts" / "echarts.common.min.js").read_text(encoding="utf-8")


def _in_script(value: Any) -> str:
    """JSON that means the same to JavaScript and cannot end a script element."""
    data = json.dumps(value, ensure_ascii=True, allow_nan=False)
    return data.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _options(chart: Chart, look: str) -> dict[str, Any]:
    charts = need("pyecharts.charts", "Interactive charts", extra="render")
    opts = need("pyecharts.options", "Interactive charts", extra="render")
    names = list(chart.categories)
    plain = opts.LabelOpts(is_show=False)
    if look == "pie":
        drawn = charts.Pie()
        slices = [(name, amount.value) for name, amount in chart.series[0].amounts.items() if amount]
        drawn.add(chart.y_title, slices, radius="60%")
    elif look == "scatter":
        drawn = charts.Scatter()
        drawn.add_xaxis([])
        for one in chart.series:
            drawn.add_yaxis(one.name, [], label_opts=plain)
    else:
        drawn = charts.Line() if look == "line" else charts.Bar()
        drawn.add_xaxis(names)
        for one in chart.series:
            row = [amount.value if (amount := one.amounts.get(name)) else None for name in names]
            more = {"stack": "all"} if look == "stacked" else {}
            drawn.add_yaxis(one.name, row, label_opts=plain, **more)
        if look == "barh":
            drawn.reversal_axis()
    drawn.set_global_opts(
        title_opts=opts.TitleOpts(title=chart.title, pos_left="center"),
        legend_opts=opts.LegendOpts(is_show=look == "pie" or bool(chart.series[0].name), pos_top="8%"),
    )
    options: dict[str, Any] = _plain(drawn.get_options())
    options["animation"] = False
    options["title"][0]["textStyle"] = {"overflow": "break", "width": 700}
    options["tooltip"] = {
        "trigger": "axis" if look not in {"pie", "scatter"} else "item",
        "renderMode": "richText",
    }
    if look != "pie":
        across = look == "barh"
        for axis, title, gap in (("xAxis", chart.y_title if across else chart.x_title, 30),
                                 ("yAxis", chart.x_title if across else chart.y_title, 50)):  # fmt: skip
            options[axis][0].update({"name": title, "nameLocation": "middle", "nameGap": gap})
        options["grid"] = {"containLabel": True, "left": 40, "right": 20, "bottom": 40, "top": 80}
    if look == "scatter":
        for axis in ("xAxis", "yAxis"):
            options[axis][0].update({"type": "value", "scale": True})
            options[axis][0].pop("data", None)
        for one, series in zip(options["series"], chart.series, strict=True):
            one["data"] = [
                [number_in(name), amount.value] for name, amount in series.amounts.items() if amount
            ]
    return options


def _plain(value: Any) -> Any:
    """The options of pyecharts as JSON values. Its own `dump_options` takes marks of its own in names for code."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in cast("dict[str, Any]", value).items() if one is not None}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in cast("list[Any]", value)]
    return _plain(value.opts) if hasattr(value, "opts") else value


def _table(chart: Chart) -> str:
    head = [chart.x_title, *(one.name or chart.y_title or "Value" for one in chart.series)]
    rows = [f"<tr>{''.join(f'<th>{html.escape(cell)}</th>' for cell in head)}</tr>\n"]
    for name in chart.categories:
        cells = [name, *(amount.text if (amount := one.amounts.get(name)) else "" for one in chart.series)]
        rows.append(f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>\n")
    return "".join(rows)
