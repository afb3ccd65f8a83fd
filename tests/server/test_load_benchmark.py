"""What `benchmarks/serving.py` asks, and what it makes of the answers; the load itself is not for a test."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the extra serve is not installed")
sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import serving
from serving_clients import KEY, Server, ask, gauges
from serving_report import table

from got_ocr2.server.auth import Keys


def test_pictures_by_lines():
    line, part, page = (serving.pictures(*kind) for kind in (serving.LINE, serving.PART, serving.PAGE))
    assert len(line) >= 5
    assert len(page) >= 3
    assert set(line) < set(part)
    assert not set(part) & set(page)
    assert len(part) <= serving.SHORT.clients, "a short run reads every line once before it compares texts"


def test_answers_as_clients_see_them(serve):
    made = serve(keys=Keys.load(plain=[KEY]), requests_per_minute=3)
    (picture,) = serving.pictures(*serving.LINE)[:1]

    async def talk():
        server = Server.__new__(Server)
        server.address = made.url
        async with server.client() as client:
            whole = await ask(client, picture)
            pieces = await ask(client, picture, events=True)
            wrong = await ask(client, Path(__file__))
            limited = await ask(client, picture)
            return whole, pieces, wrong, limited, await gauges(client)

    whole, pieces, wrong, limited, numbers = asyncio.run(talk())
    assert (whole.status, pieces.status) == (200, 200)
    assert whole.text == pieces.text != ""
    assert 0 < pieces.first <= pieces.seconds
    assert wrong.status == 422
    assert (limited.status, limited.retry_after) == (429, True)
    assert (numbers["waiting"], numbers["running"], numbers["engine_rows"]) == (0, 0, 0)


def test_the_table_has_what_was_measured():
    rates = {"read_many, 8 together": 4.0, "got-ocr2 serve": 3.9, "plain wrapper": 2.0}
    memory = {"after_a_quarter": 400, "at_the_end": 410}
    over = {"seconds": 8.0, "statuses": {503: 2, 200: 5}, "p95_of_read": 1.25, "memory": memory}
    found = {
        "throughput": {"clients": 24, "pages_per_second": rates},
        "overload": {
            "per_second": 16.0,
            "got-ocr2 serve": over,
            "plain wrapper": {**over, "statuses": {200: 7}},
        },
    }
    lines = table(found).splitlines()
    assert lines[2].endswith("| 3.90 | 2.00 |")
    assert lines[4].endswith("| 200: 5, 503: 2 | 200: 7 |")
    assert len(lines) == 7
    assert serving._percentile([3, 1, 2], 95) == 3
