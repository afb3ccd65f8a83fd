"""The table of `serving.py`."""

from __future__ import annotations

from typing import Any

OURS, PLAIN = "got-ocr2 serve", "plain wrapper"
Row = tuple[str, str, str]


def table(found: dict[str, Any]) -> str:
    """The two servers side by side, as Markdown; what was not measured has no rows."""
    rows: list[Row] = [("", OURS, PLAIN), ("---", "---", "---")]
    for part, rows_of in (
        ("throughput", _throughput),
        ("first_token", _first_token),
        ("overload", _overload),
        ("vanishing", _vanishing),
    ):
        if part in found:
            rows += rows_of(found[part])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _throughput(found: dict[str, Any]) -> list[Row]:
    rates = found["pages_per_second"]
    directly = ", ".join(
        f"{name}: {rate:.2f}" for name, rate in rates.items() if name.startswith("read_many")
    )
    what = f"pictures a second, {found['clients']} clients at once ({directly})"
    return [(what, f"{rates[OURS]:.2f}", f"{rates[PLAIN]:.2f}")]


def _first_token(found: dict[str, Any]) -> list[Row]:
    return [
        (
            f"seconds to the first text of a line, {beside}: median, p95",
            _times(value),
            _times(found[PLAIN].get(beside)),
        )
        for beside, value in found[OURS].items()
    ]


def _overload(found: dict[str, Any]) -> list[Row]:
    ours, plain = found[OURS], found[PLAIN]
    rows: list[Row] = [
        (
            f"{found['per_second']:.1f} requests a second, four times what can be read: for so many seconds",
            f"{ours['seconds']:g}",
            f"{plain['seconds']:g}",
        ),
        ("answers by status", _statuses(ours["statuses"]), _statuses(plain["statuses"])),
        (
            "seconds to an answer that was read, p95",
            f"{ours['p95_of_read']:.1f}",
            f"{plain['p95_of_read']:.1f}",
        ),
        (
            "memory after a quarter of it, and at the end, MB",
            _memory(ours["memory"]),
            _memory(plain["memory"]),
        ),
    ]
    return rows


def _vanishing(found: dict[str, Any]) -> list[Row]:
    after = found["next_answer_after"]
    return [
        (
            f"{found['clients']} clients vanish: seconds until every slot is free",
            f"{found['slots_free_after']:.2f}",
            "",
        ),
        ("their memory after each wave, MB", ", ".join(map(str, found["memory"])), ""),
        (
            f"{found['few']} clients vanish: seconds to the next answer",
            f"{after[OURS]:.2f}",
            f"{after[PLAIN]:.2f}",
        ),
    ]


def _times(value: dict[str, float] | None) -> str:
    return "" if value is None else f"{value['median']:.2f}, {value['p95']:.2f}"


def _statuses(counts: dict[int, int]) -> str:
    return ", ".join(f"{status}: {count}" for status, count in sorted(counts.items()))


def _memory(found: dict[str, int]) -> str:
    return f"{found['after_a_quarter']}, {found['at_the_end']}"
