"""Ray for tests: started here with two processors, its own warnings left out."""

from __future__ import annotations

import gc
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture
def settings(monkeypatch) -> Iterator[None]:
    """What processes of Ray need to find this package and the tests' modules, and to start on a busy machine."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    for name, value in {
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_raylet_start_wait_time_s": "200",
        "OMP_NUM_THREADS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    yield
    gc.collect()  # processes that Ray has left, while their warnings are ignored: at the end of all tests they are not


@contextmanager
def ray_with(**more: Any) -> Iterator[Any]:
    """Ray with two processors, and what else it is told that there is."""
    import ray

    with quiet():
        ray.init(
            address="local",
            num_cpus=2,
            include_dashboard=False,
            object_store_memory=80 << 20,
            log_to_driver=False,
            **more,
        )
        yield ray
        ray.shutdown()


@pytest.fixture
def ray_here(settings) -> Iterator[Any]:
    with ray_with() as ray:
        yield ray
