"""A PDF of very many pages is spread over workers and comes back in order."""

from __future__ import annotations

import pytest

from long_pdf import long_pdf
from size_reader import TARGET


@pytest.mark.parametrize("pages", [300, pytest.param(5000, marks=pytest.mark.slow)])
def test_a_long_pdf_comes_back_in_order(batch, rows, tmp_path, pages):
    texts = long_pdf(tmp_path / "long.pdf", pages)
    done = batch(
        tmp_path / "long.pdf",
        reader=TARGET,
        reading={"dpi": 72, "skip_blank": False},
        workers=2,
        pages_per_task=32,
        rows_per_shard=1000,
    )
    found = rows()
    assert done.total.statuses == {"complete": pages}
    assert [row["page"] for row in found] == [*range(1, pages + 1)]
    assert [row["text"] for row in found] == texts
