"""uvicorn, told to end as the house ends: running requests first, then exit code 0."""

from __future__ import annotations

import logging
import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from ..errors import FileAccessError
from ..wording import reason
from .log import log_line, prepare_log
from .state import State


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, state: State) -> None:
        super().__init__(config)
        self._state = state

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Takes no new requests. uvicorn would raise the signal again at the end; a second one ends at once."""
        if self.should_exit:
            self.force_exit = True
        self.should_exit = True
        self._state.reads.draining = True


def listen(host: str, port: int) -> socket.socket:
    """Takes a port; whoever connects waits until `run`.

    Raises:
        FileAccessError: it cannot be taken.
    """
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as e:
        raise FileAccessError(f"The server cannot listen on {host}, port {port}: {reason(e)}.") from e


def run(app: FastAPI, listening: socket.socket) -> None:
    """Serves until SIGTERM or SIGINT, then ends the requests that are running."""
    prepare_log()
    state: State = app.state.server
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(state.settings.drain_seconds)),
    )
    host, port = listening.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    log_line(logging.INFO, "listening", address=address, model=state.model_name)
    _Server(config, state).run(sockets=[listening])
    log_line(logging.INFO, "ended")
