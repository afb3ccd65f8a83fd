"""The report at the end of a run: numbers as JSON, and a picture of them."""

from __future__ import annotations

import io
from typing import Any

from ..extras import need
from ..machine import describe
from .progress import Progress
from .store import Store


def write_report(store: Store, progress: Progress, where: str, *, picture: bool) -> None:
    """Writes `report.json`, and `report.png` if there is to be a picture.

    Args:
        where: what the run was done by, such as "2 processes of 1 core here".

    Raises:
        FileAccessError: they cannot be written.
        MissingDependencyError: matplotlib is not installed.
    """
    report = report_of(progress, where)
    store.write_json("report.json", report, indent=1)
    if picture:
        store.place.write("report.png", picture_of(report))


def report_of(progress: Progress, where: str) -> dict[str, Any]:
    """The report for JSON. Times are in seconds; what is counted over all runs and in this one stands apart."""
    total = progress.total
    return {
        "documents": progress.documents,
        "pages": progress.pages,
        "shards": progress.shards,
        "files": progress.files,
        "statuses": dict(sorted(total.statuses.items())),
        "page_seconds": total.seconds,
        "slowest": [{"seconds": s, "document": d, "page": p} for s, d, p in total.slowest],
        "this_run": {
            "pages": progress.pages_read,
            "failed_pages_tried_again": progress.retried,
            "seconds": progress.elapsed,
            "pages_per_second": progress.speed,
            "done_by": where,
            "interval": progress.interval,
            "pages_per_interval": list(progress.curve),
        },
        "machine": describe(),
    }


def picture_of(report: dict[str, Any]) -> bytes:
    """The report as a PNG: throughput over time, statuses, the slowest pages."""
    figures = need("matplotlib.figure", "The picture of the report", extra="batch")
    figure = figures.Figure(figsize=(11, 7), layout="constrained")
    above, below = figure.subfigures(2, 1)
    speed = above.subplots()
    statuses, slow = below.subplots(1, 2, width_ratios=(1, 1.6))
    run, interval = report["this_run"], report["this_run"]["interval"]
    times = [i * interval for i in range(len(run["pages_per_interval"]) + 1)]
    speed.stairs([pages / interval for pages in run["pages_per_interval"]], times, fill=True, color="#4878a8")
    speed.set(xlabel="seconds since reading began", ylabel="pages a second", ylim=(0, None))
    speed.set_title(
        f"{run['pages']:,} pages in this run, {run['pages_per_second']:.2f} a second, by {run['done_by']}",
        fontsize=10,
    )
    colors = {
        "complete": "#4a9a5b",
        "empty": "#a0a0a0",
        "truncated": "#d9a441",
        "looped": "#c97b3c",
        "failed": "#b8433f",
    }
    names = [name for name in colors if report["statuses"].get(name)]
    bars = statuses.bar(names, [report["statuses"][n] for n in names], color=[colors[n] for n in names])
    statuses.bar_label(bars, fmt="{:,.0f}")
    statuses.set(yscale="symlog", ylabel="pages")
    statuses.margins(y=0.2)
    statuses.set_title(f"all {report['pages']:,} pages of {report['documents']:,} documents", fontsize=10)
    labels = [f"{_end(one['document'])}, page {one['page']}" for one in report["slowest"]]
    slow.barh(range(len(labels)), [one["seconds"] for one in report["slowest"]], color="#4878a8")
    slow.set_yticks(range(len(labels)), labels, fontsize=8, parse_math=False)
    slow.invert_yaxis()
    slow.set(xlabel="seconds")
    slow.set_title("the slowest pages", fontsize=10)
    sink = io.BytesIO()
    figure.savefig(sink, format="png", dpi=110)
    return sink.getvalue()


def _end(name: str) -> str:
    return name if len(name) <= 40 else "…" + name[-39:]
