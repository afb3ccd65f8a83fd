"""Puts the figures of `engine.py` and `quantisation.py` into docs/performance.md, and draws their plots.

    python benchmarks/report.py engine.json quantisation.json

A table stands between `<!-- NAME -->` and `<!-- /NAME -->` and is written anew; the text around it is left alone.
Plots go to docs/images/performance/. Drawing needs matplotlib: pip install 'got-ocr2[train]'.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LABELS = {
    "transformers-fp32": "transformers fp32",
    "transformers-bf16": "transformers bf16",
    "torch": "got-ocr2 torch",
    "exact": "got-ocr2 exact",
    "int8": "got-ocr2 int8",
    "int4": "got-ocr2 int4",
}
COLOURS = {
    "transformers-fp32": "#8a8a8a",
    "transformers-bf16": "#c4c4c4",
    "torch": "#9db7d5",
    "exact": "#1f5fa8",
    "int8": "#d97a1d",
    "int4": "#b5332e",
}
PEERS = {
    "onnxruntime-fp32": "ONNX Runtime fp32",
    "onnxruntime-int8": "ONNX Runtime int8",
    "openvino-fp32": "OpenVINO fp32",
    "openvino-int8": "OpenVINO int8",
    "openvino-int4": "OpenVINO int4",
}
Rows = Sequence[Mapping[str, Any]]


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown, the first column to the left and the others to the right."""
    sides = "|".join(["---", *["--:"] * (len(header) - 1)])
    return "\n".join(
        ["| " + " | ".join(header) + " |", f"|{sides}|", *("| " + " | ".join(r) + " |" for r in rows)]
    )


def engine_tables(found: Mapping[str, Any]) -> dict[str, str]:
    """The parts of the document that come from `engine.py`."""
    rows: Rows = found["rows"]
    variants = [name for name in LABELS if any(row["variant"] == name for row in rows)]
    measures = list(dict.fromkeys(row["measure"] for row in rows))
    by = {(row["measure"], row["variant"]): row for row in rows}
    body: list[list[str]] = []
    for measure in measures:
        unit = next(row["unit"] for row in rows if row["measure"] == measure)
        body.append([f"{measure}, {unit}", *(cell(by.get((measure, name))) for name in variants)])
    goals = [
        [
            f"{g['measure']}, {g['variant']}",
            f"{g['goal']:g}x",
            "-" if g["found"] is None else f"{g['found']:.1f}x",
        ]
        for g in found["goals"]
    ]
    shares = [
        [
            LABELS[row["variant"]],
            row["measure"].removeprefix("decode, batch "),
            f"{100 * row['roofline']:.0f} %",
        ]
        for row in rows
        if row["roofline"] is not None and row["variant"] in ("transformers-fp32", "exact", "int8", "int4")
    ]
    tables = {} if not found["options"].get("peers") else {"peers": peers_table(found)}
    return {
        **tables,
        "machine": machine_line(found),
        "engine": table(["", *(LABELS[name] for name in variants)], body),
        "goals": table(["against transformers fp32", "aim", "found"], goals),
        "roofline": table(["", "batch", "share of the read bandwidth"], shares),
        "notes": notes(rows),
    }


def peers_table(found: Mapping[str, Any]) -> str:
    """Peers and ourselves, one in a row, and what was measured with."""
    rows: Rows = found["rows"]
    by = {(row["measure"], row["variant"]): row for row in rows}
    labels = {"transformers-fp32": LABELS["transformers-fp32"], **PEERS}
    labels |= {name: LABELS[name] for name in ("exact", "int8", "int4")}
    measured = {row["variant"] for row in rows}
    measures = {row["measure"]: row["unit"] for row in rows if row["variant"] in PEERS}
    body = [
        [label, *(cell(by.get((measure, name))) for measure in measures)]
        for name, label in labels.items()
        if name in measured
    ]
    versions = ", ".join(f"{name} {version}" for name, version in found["peers"].items())
    machine = found["machine"]
    header = ["", *(f"{measure}, {unit}" for measure, unit in measures.items())]
    return (
        f"{versions}; {machine['processor']}, {found['options']['threads']} threads.\n\n{table(header, body)}"
    )


def cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return ""
    value = f"{row['value']:.3g}" if row["value"] < 1000 else f"{row['value']:.0f}"
    if row["variant"] == "transformers-fp32" or row["ratio"] is None:
        return value
    return f"{value} ({row['ratio']:.1f}x)"


def machine_line(found: Mapping[str, Any]) -> str:
    """What it was measured on, as one paragraph."""
    machine, options = found["machine"], found["options"]
    packages = ", ".join(f"{name} {machine['packages'][name]}" for name in ("torch", "transformers"))
    environment = (
        ", ".join(f"`{name}={value}`" for name, value in machine["environment"].items()) or "nothing set"
    )
    tuned = ", ".join(f"`{name}={value}`" for name, value in machine["tuned_malloc"].items())
    return (
        f"{machine['processor']}, {machine['cores']} cores, {options['threads']} threads, read bandwidth "
        f"{found['bandwidth'] / 1e9:.0f} GB/s (measured); Python {machine['python']}, {packages}; malloc of "
        f"{machine['libc']}, tuned by {tuned}; environment: {environment}. Model: {found['model']}. Medians of "
        f"{options['rounds']} interleaved rounds; of {options['page_rounds']} for pages, which have "
        f"{options['page_tokens']} tokens."
    )


def notes(rows: Rows) -> str:
    """Equality of ids and what became of drafts, as a list."""
    lines: list[str] = []
    for row in rows:
        if row["measure"] == "page" and row["same_ids"] is not None and row["variant"] in ("exact", "torch"):
            lines.append(
                f"- {LABELS[row['variant']]}: {100 * row['same_ids']:.1f} % of the page's ids equal transformers' "
                f"in fp32 up to the first difference ({row['note']})."
            )
        elif row["measure"].startswith("page with "):
            what = row["measure"].replace("page with a draft", "page with a draft of 5 % wrong ids")
            lines.append(f"- {LABELS[row['variant']]}, {what}: {row['note']}; same text.")
    return "\n".join(lines)


def quantisation_tables(found: Mapping[str, Any]) -> dict[str, str]:
    """The part of the document that comes from `quantisation.py`."""
    body = [
        [
            f"{row['dataset']} ({row['pages']})",
            row["variant"],
            f"{100 * row['best_kept']:.2f} %",
            f"{100 * row['text_kept']:.0f} %",
            f"{100 * row['cer']:.2f} %",
            f"{100 * row['cer_to_exact']:.2f} %",
        ]
        for row in found["rows"]
    ]
    header = ["pages", "weights", "best token kept", "text kept", "CER", "CER to the exact text"]
    return {"quantisation": table(header, body)}


def rewrite(document: str, parts: Mapping[str, str]) -> str:
    """The document with its marked parts replaced.

    Raises:
        ValueError: it has no place for a part.
    """
    for name, text in parts.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        if not pattern.search(document):
            raise ValueError(
                f"There is no place for {name}: <!-- {name} --> and <!-- /{name} --> are missing."
            )
        document = pattern.sub(lambda found, text=text: f"{found[1]}{text}\n{found[2]}", document)
    return document


def draw_engine(found: Mapping[str, Any], folder: Path) -> None:
    """`decode.png`: time of a step by batch and its floor; `ratios.png`: everything beside transformers."""
    from matplotlib.figure import Figure

    rows: Rows = found["rows"]
    figure: Any = Figure(figsize=(9, 3.6), layout="constrained")
    steps, rates = figure.subplots(1, 2)
    for name in LABELS:
        own = [row for row in rows if row["variant"] == name and row["measure"].startswith("decode")]
        if not own:
            continue
        sizes = [int(row["measure"].rpartition(" ")[2]) for row in own]
        times = [row["value"] for row in own]
        style = {"color": COLOURS[name], "label": LABELS[name], "marker": "o"}
        steps.plot(sizes, times, **style)
        rates.plot(sizes, [1000 * size / time for size, time in zip(sizes, times, strict=True)], **style)
        if name in ("exact", "int8", "int4"):
            steps.plot(sizes, [row["value"] * row["roofline"] for row in own], ":", color=COLOURS[name], lw=1)
    steps.set(title="milliseconds a step (dotted: bandwidth alone)", xlabel="pages at a time", yscale="log")
    rates.set(title="tokens a second", xlabel="pages at a time", ylim=(0, None))
    finish(figure, (steps, rates), folder / "decode.png")

    figure = Figure(figsize=(9, 4.2), layout="constrained")
    axes: Any = figure.subplots()
    measures = [
        m for m in dict.fromkeys(row["measure"] for row in rows)
        if not m.startswith("page with ") and len({row["variant"] for row in rows if row["measure"] == m}) > 1
    ]  # fmt: skip
    shown = [name for name in LABELS if name != "transformers-fp32"]
    for index, name in enumerate(shown):
        ratios = [
            next((row["ratio"] for row in rows if (row["measure"], row["variant"]) == (m, name)), 0.0)
            for m in measures
        ]
        places = [i + 0.16 * (index - (len(shown) - 1) / 2) for i in range(len(measures))]
        axes.barh(places, ratios, 0.16, color=COLOURS[name], label=LABELS[name])
    for goal in found["goals"]:
        if goal["measure"] in measures:
            place = measures.index(goal["measure"]) + 0.16 * (
                shown.index(goal["variant"]) - (len(shown) - 1) / 2
            )
            axes.plot([goal["goal"]], [place], "k|", ms=9)
    axes.set_yticks(range(len(measures)), measures)
    axes.invert_yaxis()
    axes.axvline(1, color="black", lw=0.8)
    axes.set(title="times better than transformers fp32 (strokes: aims)")
    finish(figure, (axes,), folder / "ratios.png")


def draw_quantisation(found: Mapping[str, Any], folder: Path) -> None:
    """`quantisation.png`: character error rates by set."""
    from matplotlib.figure import Figure

    sets = list(dict.fromkeys(row["dataset"] for row in found["rows"]))
    figure: Any = Figure(figsize=(7, 3), layout="constrained")
    axes: Any = figure.subplots()
    for index, name in enumerate(("exact", "int8", "int4")):
        own = [row for row in found["rows"] if row["variant"] == name]
        places = [sets.index(row["dataset"]) + 0.26 * (index - 1) for row in own]
        axes.bar(places, [100 * row["cer"] for row in own], 0.26, color=COLOURS[name], label=name)
    axes.set_xticks(range(len(sets)), sets)
    axes.set(title="character error rate, %", ylim=(0, None))
    finish(figure, (axes,), folder / "quantisation.png")


def finish(figure: Any, panels: Sequence[Any], path: Path) -> None:
    for axes in panels:
        axes.grid(alpha=0.3)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(6, len(names)), frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


PARTS: dict[
    str, tuple[Callable[[Mapping[str, Any]], dict[str, str]], Callable[[Mapping[str, Any], Path], None]]
] = {
    "engine": (engine_tables, draw_engine),
    "quantisation": (quantisation_tables, draw_quantisation),
}


def main(arguments: list[str] | None = None) -> int:
    """Rewrites the document; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", type=Path, help="JSON of engine.py and quantisation.py")
    parser.add_argument("--document", type=Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--images", type=Path, default=ROOT / "docs" / "images" / "performance")
    given = parser.parse_args(arguments)
    document = given.document.read_text(encoding="utf-8")
    for path in given.files:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found.get("benchmark") not in PARTS:
            print(f"{path} holds no figures of {' or '.join(PARTS)}.", file=sys.stderr)
            return 1
        tables, draw = PARTS[found["benchmark"]]
        document = rewrite(document, tables(found))
        draw(found, given.images)
    given.document.write_text(document, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
