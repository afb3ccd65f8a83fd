"""Addresses that strangers name: only the public network is reached, whatever names, redirects and servers do."""

from __future__ import annotations

import http.server
import socket
import threading
import time

import pytest

from got_ocr2.documents import Limits, public_network
from got_ocr2.documents.fetch import fetch
from got_ocr2.errors import FileAccessError, InputError


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False), ("172.16.0.1", False),
        ("192.168.1.1", False), ("169.254.169.254", False), ("0.0.0.0", False), ("100.64.0.1", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("192.0.2.1", False), ("::1", False), ("::", False),
        ("fe80::1%eth0", False), ("fc00::1", False), ("ff02::1", False), ("::ffff:127.0.0.1", False),
        ("::ffff:8.8.8.8", True), ("64:ff9b::7f00:1", False), ("::127.0.0.1", False), ("2002:7f00:1::", False),
    ],
)  # fmt: skip
def test_which_addresses_are_public(address, public):
    assert public_network.is_public(address) is public


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0.0.0.0",
        "2130706433",
        "0x7f.1",
        "127.1",
        "169.254.169.254",
        "[::ffff:7f00:1]",
    ],
)  # fmt: skip
def test_this_machine_is_not_fetched_however_it_is_written(host):
    with pytest.raises(
        (InputError, FileAccessError), match=r"not on the public network|cannot be downloaded"
    ):
        fetch(f"http://{host}:1/latest/meta-data", Limits(timeout=2), public=True)


@pytest.fixture
def resolve(monkeypatch):
    """`resolve(host=[addresses])`: what names stand for; each asking takes the next list if there are several."""

    def set_up(**names):
        asked = []

        def getaddrinfo(host, port, *_, **__):
            asked.append(host)
            answers = names[host.partition(".")[0]]
            found = answers.pop(0) if len(answers) > 1 else answers[0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return set_up


def test_a_name_with_one_private_address_is_refused(resolve):
    resolve(mixed=[["93.184.215.14", "10.0.0.1"]])
    with pytest.raises(InputError, match=r"mixed\.example is not on the public network"):
        fetch("http://mixed.example/a.png", Limits(timeout=1), public=True)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/inside":
            self.send_response(302)
            self.send_header("Location", "http://inside.example/secret")
            self.end_headers()
        elif self.path == "/drip":
            try:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n")
                while not self.server.closing.wait(0.02):
                    self.wfile.write(b"X-A: b\r\n")
            except OSError:
                pass
        else:
            self.server.hosts.append(self.headers["Host"])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


@pytest.fixture
def outside(monkeypatch):
    """A server at 93.184.215.14, which connections are led to."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.hosts, server.closing, server.reached = [], threading.Event(), []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        connect = socket.socket.connect

        def led(self, address):
            server.reached.append(address[0])
            connect(self, ("127.0.0.1", server.server_port))

        monkeypatch.setattr(socket.socket, "connect", led)
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


def test_the_connection_goes_to_the_address_that_was_checked(resolve, outside):
    # The second answer of the name server is never asked for.
    asked = resolve(public=[["93.184.215.14"], ["127.0.0.1"]])
    stream, name = fetch("http://public.example/a?key=1", Limits(timeout=2), public=True)
    assert (stream.read(), name) == (b"ok", "http://public.example/a")
    assert (asked, outside.reached, outside.hosts) == (
        ["public.example"],
        ["93.184.215.14"],
        ["public.example"],
    )


def test_a_redirect_is_checked_again(resolve, outside):
    resolve(public=[["93.184.215.14"]], inside=[["192.168.0.7"]])
    with pytest.raises(InputError, match=r"inside\.example is not on the public network"):
        fetch("http://public.example/inside", Limits(timeout=2), public=True)
    assert outside.reached == ["93.184.215.14"]


def test_what_is_wrong_is_said_once_without_the_query(resolve, outside):
    resolve(public=[["93.184.215.14"]])
    with pytest.raises(InputError) as caught:
        fetch("http://public.example/a?key=secret", Limits(timeout=2, max_bytes=1), public=True)
    assert str(caught.value).startswith(
        "http://public.example/a has at least 2 bytes, more than the limit of 1"
    )


def test_no_proxy_connects_for_us(resolve, outside, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    resolve(public=[["93.184.215.14"]])
    assert fetch("http://public.example/a", Limits(timeout=2), public=True)[0].read() == b"ok"


def test_headers_without_end_are_cut_off(resolve, outside):
    resolve(public=[["93.184.215.14"]])
    begun = time.monotonic()
    with pytest.raises(FileAccessError, match=r"within 0\.3 seconds|cannot be downloaded"):
        fetch("http://public.example/drip", Limits(timeout=5, deadline=0.3), public=True)
    assert time.monotonic() - begun < 4
