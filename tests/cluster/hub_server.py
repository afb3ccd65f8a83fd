"""A stand-in for the Hub: one data set, as far as `HfFileSystem` asks for it. PUT changes a file."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

REPO = "someone/scans"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    files: dict[str, bytes]

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        api, tree = f"/api/datasets/{REPO}", f"/api/datasets/{REPO}/tree/main"
        if path in (api, f"{api}/revision/main"):
            self._json({"id": REPO, "sha": "0" * 40, "siblings": []})
        elif path == tree or path.startswith(f"{tree}/"):
            self._tree(path[len(tree) + 1 :], recursive="recursive=true" in self.path.lower())
        elif path.startswith(f"/datasets/{REPO}/resolve/main/"):
            self._file(path.partition("/resolve/main/")[2])
        else:
            self._none("RepoNotFound")

    def do_PUT(self) -> None:
        self.files[unquote(self.path[1:])] = self.rfile.read(int(self.headers["Content-Length"]))
        self._json({})

    def _tree(self, folder: str, *, recursive: bool) -> None:
        start = f"{folder}/" if folder else ""
        inside = [name for name in self.files if name.startswith(start)]
        if not inside:
            self._none("EntryNotFound")
            return
        entries = []
        for name in inside:
            below = name[len(start) :].split("/")
            for depth in range(1, len(below) if recursive else min(len(below), 2)):
                entry = {
                    "type": "directory",
                    "path": start + "/".join(below[:depth]),
                    "oid": "1" * 40,
                    "size": 0,
                }
                if entry not in entries:
                    entries.append(entry)
            if recursive or len(below) == 1:
                data = self.files[name]
                entries.append(
                    {"type": "file", "path": name, "oid": sha1(data).hexdigest(), "size": len(data)}
                )
        self._json(entries)

    def _file(self, name: str) -> None:
        if name not in self.files:
            self._none("EntryNotFound")
            return
        data, total = self.files[name], len(self.files[name])
        wanted = self.headers.get("Range")
        if wanted is None:
            self._send(200, data)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        part = data[int(first) : int(last) + 1 if last else total]
        self._send(206, part, {"Content-Range": f"bytes {first}-{int(first) + len(part) - 1}/{total}"})

    def _json(self, value: object) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _none(self, code: str) -> None:
        self._send(404, b"{}", {"X-Error-Code": code})

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def hub(files: dict[str, bytes]) -> Iterator[str]:
    """Serves `files`, which may change; its address."""
    handler = type("Handler", (_Handler,), {"files": files})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
