"""One run at a time where nothing ends a lock when its holder dies: a lease, held by objects that only one can make.

The newest object under `.lock/` is the lease. Its holder writes it anew every few seconds; who finds one that does not
change for `STALE` seconds of its own clock makes the next object, which the store lets one of all who try do. A
holder that wakes up after such a pause sees an object newer than its own, and gives up before it commits anything else.
What it still writes meanwhile does no harm: an object holds the rows of the same pages, whoever wrote it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from typing import Protocol

from ...errors import FileAccessError, GotOcr2Error, InvalidOptionError

FOLDER = ".lock"
STALE = 15.0  # seconds without a sign after which a holder counts as dead
BEATS = 5  # signs in that time


class _Objects(Protocol):
    def where(self, key: str) -> str: ...
    def names(self, folder: str) -> list[str]: ...
    def read(self, key: str) -> bytes | None: ...
    def write(self, key: str, data: bytes) -> None: ...
    def add(self, key: str, data: bytes) -> bool: ...
    def remove(self, key: str) -> None: ...


class Lease:
    """A lease that is held."""

    def __init__(self, place: _Objects, number: int) -> None:
        self._place = place
        self._number = number
        self._over = threading.Event()
        self._lost: GotOcr2Error | None = None
        self._renewed = time.monotonic()
        self._thread = threading.Thread(target=self._renew, name="got-ocr2 lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        if self._lost is not None:
            raise self._lost
        if time.monotonic() - self._renewed > STALE and _newest(self._place) != self._number:
            raise self._taken()

    def release(self) -> None:
        """Lets the next run begin at once."""
        self._over.set()
        self._thread.join()
        if self._lost is None:
            with suppress(FileAccessError):  # the next one waits a little longer
                self._place.remove(_key(self._number))

    def _renew(self) -> None:
        sign = 0
        while not self._over.wait(STALE / BEATS):
            sign += 1
            try:
                if _newest(self._place) != self._number:
                    self._lost = self._taken()
                    return
                self._place.write(_key(self._number), b"%d" % sign)
                self._renewed = time.monotonic()
            except FileAccessError as e:
                if time.monotonic() - self._renewed > STALE:
                    self._lost = e
                    return

    def _taken(self) -> InvalidOptionError:
        return InvalidOptionError(
            f"Another run has taken over {self._place.where('')}, because this one gave no sign for {STALE:g} seconds."
        )


@contextmanager
def hold(place: _Objects) -> Generator[Lease]:
    """Holds the lease; waits up to `STALE` seconds to see whether a run that holds it lives.

    Raises:
        InvalidOptionError: it does.
        FileAccessError: the place cannot be written.
    """
    found = _newest(place)
    if found and _alive(place, found):
        raise InvalidOptionError(f"Another run is writing to {place.where('')}.")
    if not place.add(_key(found + 1), b"0"):
        raise InvalidOptionError(f"Another run is writing to {place.where('')}.")
    for number in _numbers(place):
        if number <= found:
            place.remove(_key(number))
    lease = Lease(place, found + 1)
    try:
        yield lease
    finally:
        lease.release()


def _alive(place: _Objects, number: int) -> bool:
    first = place.read(_key(number))
    end = time.monotonic() + STALE
    while time.monotonic() < end:
        time.sleep(STALE / (2 * BEATS))
        now = place.read(_key(number))
        if now is None:  # released
            return bool(_newest(place))
        if now != first:
            return True
    return False


def _newest(place: _Objects) -> int:
    return max(_numbers(place), default=0)


def _numbers(place: _Objects) -> list[int]:
    return [int(name) for name in place.names(FOLDER) if name.isdecimal()]


def _key(number: int) -> str:
    return f"{FOLDER}/{number:08d}"
