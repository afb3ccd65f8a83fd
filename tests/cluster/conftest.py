"""Runs with a reader that has no model."""

from __future__ import annotations

import pytest

from batch_runs import batch, documents, forked_workers, rows
from ray_processes import ray_here, settings

pytest.importorskip("pyarrow")

__all__ = ["batch", "documents", "forked_workers", "ray_here", "rows", "settings"]
