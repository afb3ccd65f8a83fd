"""A Ray cluster of several machines on this one; one is killed and another comes. What `faults.py --ray` uses."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

_ROOM = 80 << 20  # bytes of an object store
_TRIES = 5  # starts of a machine
_WORKER = b"got_ocr2.cluster.workers.child"
# With ports of its own a raylet does not wait for its agents to say theirs, for which it has 15 seconds and no setting:
# too few on a busy machine.
_PORTS = (
    "metrics_agent_port",
    "metrics_export_port",
    "dashboard_agent_listen_port",
    "runtime_env_agent_port",
)
_SETTINGS = {
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    # A machine that is slow is not one that is gone.
    "RAY_raylet_start_wait_time_s": "300",
    "RAY_agent_register_timeout_ms": "300000",
    "RAY_worker_register_timeout_seconds": "300",
    "RAY_health_check_timeout_ms": "60000",
    # One that is gone is so within three seconds: nobody answers where it was.
    "RAY_health_check_period_ms": "500",
    "OMP_NUM_THREADS": "1",
}


class Machines:
    """A head without cores, and machines of one core each; a context manager.

    Attributes:
        address: of the head.
    """

    def __init__(self, count: int) -> None:
        os.environ["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        for name, value in _SETTINGS.items():
            os.environ.setdefault(name, value)
        from ray.cluster_utils import Cluster

        _tell_all_ports()
        head = {"num_cpus": 0, "object_store_memory": _ROOM, "include_dashboard": False, **_ports()}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self.address: str = self._cluster.address
        self._count = count
        self._running: list[Any] = []
        self._fill()

    def __enter__(self) -> Machines:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._cluster.shutdown()

    def kill_one(self, draw: random.Random) -> None:
        """kill -9 of the raylet of one machine; a new machine takes its place up to two seconds later."""
        node = self._running.pop(draw.randrange(len(self._running)))
        os.kill(_raylet(node), signal.SIGKILL)
        time.sleep(draw.uniform(0.0, 2.0))
        with suppress(Exception):  # of what is dead already
            self._cluster.remove_node(node, allow_graceful=False)
        self._fill()

    def _fill(self) -> None:
        """Starts as many machines as are missing; Ray may give one up that takes too long."""
        tries = 0
        while len(self._running) < self._count:
            tries += 1
            try:
                node = self._cluster.add_node(wait=False, num_cpus=1, object_store_memory=_ROOM, **_ports())
            except Exception as e:
                if tries == _TRIES:
                    raise
                print(f"a machine did not start: {e}", file=sys.stderr, flush=True)
            else:
                self._running.append(node)

    def workers(self) -> list[int]:
        """Processes of ours that read, on any machine."""
        raylets = {_raylet(node) for node in self._running}
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdecimal():
                continue
            with suppress(OSError):
                if _WORKER in (entry / "cmdline").read_bytes() and raylets & set(_above(int(entry.name))):
                    found.append(int(entry.name))
        return found


def _tell_all_ports() -> None:
    """One of the ports Ray tells the agent alone; here the raylet as well, which has an option for it."""
    from ray._private import services

    start = services.start_ray_process

    def started(command: list[str], *args: Any, **options: Any) -> Any:
        agent = [word for word in command if word.startswith("--dashboard_agent_command=")]
        found = re.search(r"--listen-port=(\d+)", agent[0]) if agent else None
        told = [f"--dashboard_agent_listen_port={found[1]}"] if found else []
        return start([*command, *told], *args, **options)

    services.start_ray_process = started


def _ports() -> dict[str, int]:
    """Free ones."""
    with ExitStack() as opened:
        sockets = [opened.enter_context(socket.socket()) for _ in _PORTS]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return {name: one.getsockname()[1] for name, one in zip(_PORTS, sockets, strict=True)}


def _raylet(node: Any) -> int:
    return node.all_processes["raylet"][0].process.pid


def _above(pid: int) -> list[int]:
    """A process's parent, its parent, and so on."""
    found: list[int] = []
    while pid > 1:
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        found.append(pid)
    return found
