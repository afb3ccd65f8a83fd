"""Runs on Ray, started here with two processors: the same shards as without, also when a machine goes.

Ray needs half a minute to start and is a large package, so these are left out by default:
`pip install ".[test,ray]"` and `pytest -m ray`.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from got_ocr2.errors import GotOcr2Error, InvalidOptionError

pytest.importorskip("ray")
pytestmark = [
    pytest.mark.ray,
    # Ray and what it imports warn of themselves, and leave sockets to the garbage collector.
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
PAGES = ("pages=9 text=a bad=5", "pages=1", "no document", "pages=17 text=b kill=3")
SIZES = {"rows_per_shard": 8, "pages_per_task": 3}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@contextmanager
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    """What processes of Ray need to find this package and the reader of these tests, and to start on a busy machine."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    for name, value in {
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_raylet_start_wait_time_s": "200",
        "OMP_NUM_THREADS": "1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def ray_here(settings):
    import ray

    with quiet():
        ray.init(num_cpus=2, include_dashboard=False, object_store_memory=80 << 20, log_to_driver=False)
        yield ray
        ray.shutdown()


def test_shards_are_the_same_as_without_ray(documents, batch, tmp_path, ray_here):
    from got_ocr2.cluster.executors.ray_data import RayExecutor

    given = documents(*PAGES)
    batch(given, "here", **SIZES)
    done = batch(given, "ray", open_executor=RayExecutor, workers=2, **SIZES)
    assert done.total.statuses == {"complete": 25, "failed": 3}
    for folder in ("shards", "plan"):
        assert contents(tmp_path / "ray" / folder) == contents(tmp_path / "here" / folder)
    assert ray_here.is_initialized()  # it was not ours to end
    # As many actors as there is room for.
    batch(given, "free", open_executor=RayExecutor, **SIZES)
    assert contents(tmp_path / "free" / "shards") == contents(tmp_path / "here" / "shards")
    with pytest.raises(GotOcr2Error, match="There is no such model"):
        batch(given, "none", open_executor=RayExecutor, workers=1, reading={"no_model": True})


def test_a_machine_that_goes_is_done_without(documents, batch, tmp_path):
    import ray
    from ray.cluster_utils import Cluster

    from got_ocr2.cluster.executors.ray_data import RayExecutor

    given = documents("pages=90 slow=0.1 text=a", "pages=30 slow=0.1 text=b")
    batch(given, "here", **{**SIZES, "workers": 2})
    with quiet():
        options = {"num_cpus": 1, "object_store_memory": 80 << 20, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=options)
        second = cluster.add_node(num_cpus=1, object_store_memory=80 << 20)
        ray.init(address=cluster.address, log_to_driver=False)
        gone = threading.Event()

        def leave(progress):
            if progress.counts.rows > 20 and not gone.is_set():
                gone.set()
                cluster.remove_node(second, allow_graceful=False)

        try:
            batch(given, "ray", open_executor=RayExecutor, progress=leave, **SIZES)
        finally:
            ray.shutdown()
            cluster.shutdown()
    assert gone.is_set()
    assert contents(tmp_path / "ray" / "shards") == contents(tmp_path / "here" / "shards")


def test_no_cluster_is_one_sentence(documents, batch, monkeypatch):
    from got_ocr2.cluster.executors.ray_data import RayExecutor

    monkeypatch.setenv("RAY_gcs_rpc_server_reconnect_timeout_s", "3")
    with quiet(), pytest.raises(InvalidOptionError, match=r"No Ray cluster answers at auto: .*\.$"):
        batch(documents("pages=1"), open_executor=partial(RayExecutor, address="auto"))
