from __future__ import annotations

import base64
import http.server
import io
import socket
import threading
from collections.abc import Iterator

import pytest
from PIL import Image

from got_ocr2.documents import Limits, open_document, open_source
from got_ocr2.errors import FileAccessError, InputError


def png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (4, 3), "red").save(out, "PNG")
    return out.getvalue()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.partition("?")[0]
        getattr(self, "answer_" + path.strip("/").replace(".", "_"), self.answer_missing)()

    def send(self, data: bytes, length: int | None = None, status: int = 200, **headers: str):
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def answer_page_png(self):
        self.server.agents.append(self.headers["User-Agent"])
        self.send(png(), len(png()))

    def answer_endless(self):
        try:
            self.send(b"\x89PNG\r\n\x1a\n")
            for _ in range(10_000):
                self.wfile.write(bytes(1 << 16))
        except OSError:
            pass

    def answer_drip(self):
        try:
            self.send(b"")
            while not self.server.closing.wait(0.02):
                self.wfile.write(b"x")
        except OSError:
            pass

    def answer_silent(self):
        self.server.closing.wait(30)

    def answer_huge(self):
        self.send(b"", 10**12)

    def answer_short(self):
        self.send(png()[:20], 1000)

    def answer_empty(self):
        self.send(b"", 0)

    def answer_moved(self):
        self.send(b"", 0, 302, Location="/page.png")

    def answer_loop(self):
        self.send(b"", 0, 302, Location="/loop")

    def answer_sneaky(self):
        self.send(b"", 0, 302, Location="file:///etc/passwd")

    def answer_garbage(self):
        self.wfile.write(b"not http at all\r\n\r\n")

    def answer_missing(self):
        self.send(b"", 0, 404)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.agents, server.closing = [], threading.Event()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def address(server) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_a_picture_is_downloaded(server, address):
    (page,) = open_source(f"{address}/page.png?token=secret")
    assert page.image.getpixel((0, 0)) == (255, 0, 0)
    assert page.source == f"{address}/page.png"
    assert server.agents[-1].startswith("got-ocr2/")


def test_redirects_are_followed(address):
    (page,) = open_source(f"{address}/moved")
    assert page.image.size == (4, 3)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", r"answers 404\.$"),
        ("loop", r"answers 302\.$"),
        ("sneaky", r"answers 302\.$"),
        ("garbage", "cannot be downloaded"),
        ("short", r"broke off after 20 of 1,000 bytes\.$"),
    ],
)
def test_servers_that_refuse_or_break_off(address, path, message):
    with pytest.raises(FileAccessError, match=message) as caught:
        open_document(f"{address}/{path}?token=secret")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_downloads_are_held_to_the_byte_limit(address):
    limits = Limits(max_bytes=1_000_000)
    for path in ("huge", "endless"):
        with pytest.raises(InputError, match=r"more than the limit of 1,000,000 \(max_bytes\)"):
            open_document(f"{address}/{path}", limits=limits)
    with pytest.raises(InputError, match="is empty"):
        open_document(f"{address}/empty")


def test_slow_servers_are_given_up(address):
    with pytest.raises(FileAccessError, match=r"does not answer within 0\.1 seconds"):
        open_document(f"{address}/silent", limits=Limits(timeout=0.1))
    with pytest.raises(FileAccessError, match=r"was not downloaded within 0\.2 seconds"):
        open_document(f"{address}/drip", limits=Limits(deadline=0.2))


def test_servers_that_are_not_there():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(
            FileAccessError, match=r"http://127\.0\.0\.1:\d+/a cannot be downloaded: .*refused"
        ):
            open_document(f"http://127.0.0.1:{unused.getsockname()[1]}/a", limits=Limits(timeout=2))


@pytest.mark.parametrize("url", ["http://", "http://[::1/x", "http://127.0.0.1:port/x", "http://a b/\n"])
def test_what_is_no_address(url):
    with pytest.raises((InputError, FileAccessError)) as caught:
        open_document(url, limits=Limits(timeout=0.5))
    assert "\n" not in str(caught.value)


def test_user_names_stay_out_of_messages(address):
    with pytest.raises(FileAccessError) as caught:
        open_document(address.replace("//", "//user:secret@") + "/nowhere")
    assert "secret" not in str(caught.value)


def test_data_addresses():
    body = base64.b64encode(png()).decode()
    (page,) = open_source(f"data:image/png;base64,{body}")
    assert (page.source, page.image.size) == ("<data>", (4, 3))
    for url, message in {
        "data:image/png;base64,%%%": "not valid base64",
        "data:image/png;base64": "needs a comma",
        "data:,": "is empty",
        "data:text/plain,hello": "neither a picture",
    }.items():
        with pytest.raises(InputError, match=message):
            open_document(url)
    with pytest.raises(InputError, match="max_bytes"):
        open_document(f"data:;base64,{body}", limits=Limits(max_bytes=10))


def test_other_schemes_are_file_names():
    for url in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        with pytest.raises(FileAccessError, match="does not exist"):
            open_document(url)
