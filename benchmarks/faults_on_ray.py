"""A Ray cluster of several machines on this one; one is killed and another comes. What `faults.py --ray` uses."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

_ROOM = 80 << 20  # bytes of an object store
_WORKER = b"got_ocr2.cluster.workers.child"


class Machines:
    """A head without cores, and machines of one core each; a context manager."""

    def __init__(self, count: int) -> None:
        os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        for name, value in {
            "RAY_AUTH_MODE": "disabled",
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_raylet_start_wait_time_s": "200",
            "OMP_NUM_THREADS": "1",
        }.items():
            os.environ.setdefault(name, value)
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": _ROOM, "include_dashboard": False}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._nodes = [self._another() for _ in range(count)]
        self.address: str = self._cluster.address

    def __enter__(self) -> Machines:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._cluster.shutdown()

    def _another(self) -> Any:
        return self._cluster.add_node(wait=False, num_cpus=1, object_store_memory=_ROOM)

    def kill_one(self, draw: random.Random) -> None:
        """kill -9 of the raylet of one machine; a new machine takes its place."""
        place = draw.randrange(len(self._nodes))
        node = self._nodes[place]
        os.kill(_raylet(node), signal.SIGKILL)
        time.sleep(draw.uniform(0.0, 2.0))
        with suppress(Exception):  # of what is dead already
            self._cluster.remove_node(node, allow_graceful=False)
        self._nodes[place] = self._another()

    def workers(self) -> list[int]:
        """Processes of ours that read, on any machine."""
        raylets = {_raylet(node) for node in self._nodes}
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            with suppress(OSError):
                if _WORKER in (entry / "cmdline").read_bytes() and raylets & set(_above(int(entry.name))):
                    found.append(int(entry.name))
        return found


def _raylet(node: Any) -> int:
    return node.all_processes["raylet"][0].process.pid


def _above(pid: int) -> list[int]:
    """A process's parent, its parent, and so on."""
    found: list[int] = []
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.append(pid)
    return found
