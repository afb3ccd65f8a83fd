"""Runs with a reader that has no model."""

from __future__ import annotations

import pytest

from batch_runs import batch, documents, rows

pytest.importorskip("pyarrow")

__all__ = ["batch", "documents", "rows"]
