"""Runs with a reader that has no model."""

from __future__ import annotations

import pytest

from batch_runs import batch, documents, rows
from ray_processes import ray_here, settings

pytest.importorskip("pyarrow")

__all__ = ["batch", "documents", "ray_here", "rows", "settings"]
