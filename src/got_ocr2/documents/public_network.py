"""Connections to public addresses only, for programs that fetch what strangers name.

A name is resolved once, every address it has is checked, and the connection goes to one that was checked: a name
server cannot answer differently the second time. Redirects make connections of their own, so they are checked too.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import threading
import time
import urllib.request
from typing import Any

from ..errors import InputError

_EMBEDDING = {
    ipaddress.ip_network("64:ff9b::/96"),  # NAT64
    ipaddress.ip_network("::/96"),  # IPv4-compatible
}


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public network, also where it is wrapped up in an IPv6 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and any(ip in network for network in _EMBEDDING):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            ip = inner
    return ip.is_global and not ip.is_multicast


def connect(host: str, port: int, timeout: float | None, until: float) -> socket.socket:
    """Connects to a host all of whose addresses are public.

    Args:
        host, port: as in the address.
        timeout: seconds for each attempt and each answer.
        until: `time.monotonic()` at which the connection is cut, whatever it is doing.

    Raises:
        InputError: one of its addresses is not public.
        OSError: it cannot be resolved or reached.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if not found or not all(is_public(str(address[0])) for *_, address in found):
        raise InputError(f"{host} is not on the public network; only public addresses are fetched.")
    error: OSError = OSError("it has no address")
    for family, kind, protocol, _, address in found:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(timeout)
            connection.connect(address)
        except OSError as e:
            connection.close()
            error = e
            continue
        _cut_at(connection, until)
        return connection
    raise error


def _cut_at(connection: socket.socket, until: float) -> None:
    """A server that sends a byte now and then would outlast every timeout."""

    def cut() -> None:
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            connection.close()

    timer = threading.Timer(max(0.0, until - time.monotonic()), cut)
    timer.daemon = True
    timer.start()


class _Public(http.client.HTTPConnection):
    until = 0.0

    def connect(self) -> None:
        self.sock = connect(self.host, self.port, self.timeout, self.until)


class _PublicTls(http.client.HTTPSConnection, _Public):
    """`HTTPSConnection.connect` calls `_Public.connect` and puts TLS over it."""


def handlers(deadline: float) -> list[urllib.request.BaseHandler]:
    """For an `OpenerDirector`: plain and TLS connections to public addresses, without a proxy.

    Args:
        deadline: seconds from now after which connections are cut.
    """
    until = time.monotonic() + deadline

    class Plain(urllib.request.HTTPHandler):
        def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_with(_Public, until), req)

    class Tls(urllib.request.HTTPSHandler):
        def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
            return self.do_open(_with(_PublicTls, until), req)

    return [Plain(), Tls()]


def _with(kind: type[_Public], until: float) -> Any:
    return type(kind.__name__, (kind,), {"until": until})
