"""What every request passes before a route sees it: a name and a line in the log, keys, limits on its bytes."""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .auth import ANYONE, Keys, Rate
from .log import log_failure, log_line
from .metrics import Metrics
from .problems import Problem, unexpected
from .settings import Settings

_ID = re.compile(r"[\w.:-]{1,64}")
# Nobody needs a key for these: they say nothing of documents.
OPEN = {"/", "/health", "/ready", "/openapi.json", "/favicon.ico"}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    # An answer that somebody opens in a browser may neither run nor fetch anything, nor be framed.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}
"""Of every answer that does not say otherwise."""


class Observed:
    """Gives each request an id, counts it, and logs it when it has ended; a failure of ours becomes an answer."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        id = given if _ID.fullmatch(given) else secrets.token_hex(8)
        scope.setdefault("state", {})["request_id"] = id
        began, status, ended = time.monotonic(), 0, False

        async def sending(message: Message) -> None:
            nonlocal status, ended
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = id
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            elif message["type"] == "http.response.body":
                ended = not message.get("more_body", False)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except Exception as error:
            log_failure(error, id)
            if not status:
                await unexpected().response(scope, receive, sending)
        finally:
            seconds = time.monotonic() - began
            route = scope.get("route")
            # What strangers type must not become a name in the metrics or the log.
            path = getattr(route, "path", None) or "other"
            self._metrics.requests.labels(scope["method"], path, str(status if ended else 499)).inc()
            self._metrics.seconds.labels(path).observe(seconds)
            log_line(
                logging.INFO,
                "request",
                request_id=id,
                method=scope["method"],
                path=path,
                status=status if ended else 499,
                seconds=round(seconds, 4),
                key=scope["state"].get("key"),
            )


class Guard:
    """Lets in who has a key. Without keys, only pages and programs of this machine: a web page from elsewhere cannot
    use a server on the reader's own machine, neither by its address nor by a name that it lets point there.
    """

    def __init__(self, app: ASGIApp, keys: Keys, settings: Settings, metrics: Metrics, *, open: bool) -> None:
        self._app = app
        self._keys = keys
        self._settings = settings
        self._metrics = metrics
        self._open = open
        self._rate = Rate(settings.requests_per_minute)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            scope.setdefault("state", {})["key"] = self._checked(scope)
        except Problem as problem:
            await problem.response(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _checked(self, scope: Scope) -> str:
        headers, path = Headers(scope=scope), scope["path"]
        if not self._keys:
            if self._open:
                self._count(scope, address_of(scope), "This address has")
            else:
                self._check_neighbour(headers)
            return ANYONE
        if path in OPEN or path.startswith("/static/"):
            return ANYONE
        kind, _, token = headers.get("authorization", "").partition(" ")
        key = headers.get("x-api-key") or (token.strip() if kind.lower() == "bearer" else "")
        name = self._keys.name(key) if key else None
        if name is None:
            self._metrics.refused.labels("key").inc()
            said = "This API key is not known." if key else "An API key is needed: Authorization: Bearer KEY."
            problem = Problem(401, said)
            problem.headers = {"WWW-Authenticate": "Bearer"}
            raise problem
        self._count(scope, name, "This key has")
        return name

    def _count(self, scope: Scope, name: str, who: str) -> None:
        """Refuses a request that asks for work, if there were too many of this name.

        Raises:
            Problem: with the seconds after which there may be another.
        """
        if scope["method"] == "POST" and (seconds := self._rate.wait(name)):
            self._metrics.refused.labels("rate").inc()
            limit = self._settings.requests_per_minute
            raise Problem(
                429,
                f"{who} had its {limit} requests of a minute (requests_per_minute).",
                retry_after=seconds + 0.5,
            )

    def _check_neighbour(self, headers: Headers) -> None:
        host = headers.get("host", "")
        if not self._is_own(host):
            raise Problem(
                403, "Without API keys the server answers to localhost only; see --host-name and --api-keys."
            )
        origin = headers.get("origin")
        if origin is None or origin in self._settings.cors:
            return
        if origin.partition("://")[2] != host:
            raise Problem(403, "Pages of other origins may not use this server; see --cors.")

    def _is_own(self, host: str) -> bool:
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
        name = name.strip("[]").lower()
        if name == "localhost" or name.endswith(".localhost") or name in self._settings.hosts:
            return True
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return False


def address_of(scope: Scope) -> str:
    """Where a request comes from: its address; of IPv6 the first half, the rest of which every host has to itself."""
    host = (scope.get("client") or ("unknown", 0))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((address, 64), strict=False))
    return str(address)


class BodyLimit:
    """No body above the limit, and not too many bytes of all bodies together."""

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._most = settings.max_bytes * 4 // 3 + 1_000_000  # base64, and what stands around it
        self._named = settings.max_bytes
        self._room = settings.max_bytes_in_flight
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        taken = 0
        # A job brings many documents.
        most = self._room if scope["path"] == "/jobs" else self._most

        def take(count: int) -> None:
            nonlocal taken
            if taken + count > most:
                self._metrics.refused.labels("bytes").inc()
                raise Problem(
                    413, f"The request is larger than a document of {self._named:,} bytes may be (max_bytes)."
                )
            if count > self._room:
                self._metrics.refused.labels("bytes").inc()
                raise Problem(
                    503,
                    "The requests that are being answered are too large together (max_bytes_in_flight); try again.",
                    retry_after=2,
                )
            self._room -= count
            taken += count

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                take(len(message.get("body", b"")))
            return message

        announced = Headers(scope=scope).get("content-length", "")
        try:
            if announced.isdecimal():
                take(int(announced))  # no more will come: HTTP's parser sees to that
                await self._app(scope, receive, send)
            else:
                await self._app(scope, receiving, send)
        except Problem as problem:
            await problem.response(scope, receive, send)
        finally:
            self._room += taken
