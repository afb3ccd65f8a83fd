"""Runs on Ray, started here with two processors: the same shards as without, also when a machine goes.

Ray needs half a minute to start and is a large package, so these are left out by default:
`pip install ".[test,ray]"` and `pytest -m ray`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from got_ocr2.errors import GotOcr2Error, InvalidOptionError
from long_pdf import long_pdf
from ray_processes import quiet, ray_with
from size_reader import TARGET as SIZES_OF_PAGES

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


@pytest.fixture(autouse=True)
def for_all(settings):
    """Processes of Ray find this package everywhere."""


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


def test_pages_are_drawn_by_tasks_of_their_own(documents, batch, rows, tmp_path, ray_here, monkeypatch):
    from got_ocr2.cluster.executors import ray_data
    from got_ocr2.cluster.executors.ray_data import RayExecutor

    given = documents(*PAGES)
    batch(given, "here", **SIZES)
    apart = {"open_executor": RayExecutor, "workers": 1, "draw_apart": True, "drawn_memory": 30 << 20}
    with monkeypatch.context() as small:
        small.setattr(ray_data, "_WINDOW", 7)  # the second one has tasks and shards
        batch(given, "apart", **apart, **SIZES)
    assert contents(tmp_path / "apart" / "shards") == contents(tmp_path / "here" / "shards")
    batch(documents("pages=5 kill_draw=2"), "killed", **apart, **SIZES)
    assert [row["status"] for row in rows("killed")] == [
        "complete",
        "failed",
        "complete",
        "complete",
        "complete",
    ]
    said = "alone, once: it was ended by SIGKILL."
    assert rows("killed")[1]["error"]["message"].endswith(said)
    # Five thousand pages of one document, through the reader of documents.
    texts = long_pdf(tmp_path / "long.pdf", 5000)
    options = {"reader": SIZES_OF_PAGES, "reading": {"dpi": 72, "skip_blank": False}, "pages_per_task": 128}
    batch(tmp_path / "long.pdf", "long", **apart, **options)
    assert [row["text"] for row in rows("long")] == texts
    assert [row["page"] for row in rows("long")] == [*range(1, 5001)]


def looking(ray: Any, name: str) -> tuple[list[float], Callable[..., None]]:
    """How much of a resource was taken, whenever there was progress; and what looks, for `progress`."""
    taken: list[float] = []

    def look(progress: Any) -> None:
        taken.append(ray.cluster_resources()[name] - ray.available_resources().get(name, 0.0))

    return taken, look


def test_memory_is_asked_of_ray_and_kept_to(documents, batch, rows, ray_here):
    from ray.data import DataContext

    from got_ocr2.cluster.executors.ray_data import RayExecutor

    most = 300 << 20
    taken, look = looking(ray_here, "memory")
    # Ray Data ends what does nothing for so long; pages may take longer, they have a limit of their own.
    DataContext.get_current().execution_no_progress_timeout_s = 0.1
    given = documents("pages=9 slow=0.3 grow=4")
    batch(given, open_executor=RayExecutor, workers=2, worker_memory=most, pages_per_task=1, progress=look)
    assert max(taken) == 2 * most
    failed = [row for row in rows() if row["status"] == "failed"]
    assert [row["page"] for row in failed] == [4]
    assert failed[0]["error"]["message"].endswith("it took more than 314,572,800 bytes of memory.")
    assert len(rows()) == 9


def test_workers_come_where_there_is_room_and_work(documents, batch, rows, ray_here):
    """One at first, and as many as there are cores while pages wait."""
    from got_ocr2.cluster.executors.ray_data import RayExecutor

    taken, look = looking(ray_here, "CPU")
    batch(documents("pages=150 slow=0.1"), open_executor=RayExecutor, pages_per_task=1, progress=look)
    assert len(rows()) == 150
    assert max(taken) == 2
    assert min(one for one in taken if one) == 1


def test_workers_share_a_gpu(documents, batch, rows, settings):
    """Ray is told of a GPU that nothing uses: two halves of it are taken."""
    from got_ocr2.cluster.executors.ray_data import RayExecutor

    with ray_with(num_gpus=1) as ray:
        taken, look = looking(ray, "GPU")
        given = documents("pages=20 slow=0.1")
        options = {"workers": 2, "gpus": 0.5, "draw_apart": False, "pages_per_task": 1}
        batch(given, open_executor=RayExecutor, progress=look, **options)
    assert max(taken) == 1.0
    assert [row["status"] for row in rows()] == ["complete"] * 20


def test_more_than_this_machine_has_is_refused(documents, batch, settings):
    import ray

    from got_ocr2.cluster.executors.ray_data import RayExecutor

    here = partial(RayExecutor, address="here")
    with (
        quiet(),
        pytest.raises(InvalidOptionError, match=r"^A worker wants .* bytes of memory; this machine has"),
    ):
        batch(documents("pages=1"), open_executor=here, workers=1, worker_memory=1 << 50)
    assert not ray.is_initialized()


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
