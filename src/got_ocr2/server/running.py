"""uvicorn, told to end as the house ends: running requests first, then exit code 0."""

from __future__ import annotations

import logging
from types import FrameType

import uvicorn
from fastapi import FastAPI

from ..errors import FileAccessError
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


def run(app: FastAPI, host: str, port: int) -> None:
    """Serves until SIGTERM or SIGINT, then ends the requests that are running.

    Raises:
        FileAccessError: the port cannot be taken.
    """
    prepare_log()
    state: State = app.state.server
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=max(1, round(state.settings.drain_seconds)),
    )
    server = _Server(config, state)
    try:
        listening = config.bind_socket()
    except SystemExit:  # uvicorn has logged why
        raise FileAccessError(
            f"The server cannot listen on {host}, port {port}: it is in use or not allowed."
        ) from None
    with listening:
        # Whoever reads the line below may connect at once: he waits in the socket's queue until the loop runs.
        listening.listen(config.backlog)
        log_line(
            logging.INFO,
            "listening",
            address=f"http://{host}:{listening.getsockname()[1]}",
            model=state.model_name,
        )
        server.run(sockets=[listening])
    log_line(logging.INFO, "ended")
