"""API keys: several, each with a name; only their hashes are kept."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path
from threading import Lock

from ..errors import FileAccessError, InvalidOptionError
from ..wording import printable, reason

_LINE = re.compile(r"(?P<name>[\w.@-]{1,64})\s+(?P<hash>[0-9a-f]{64})")
_LEAST = 16  # characters of a key: fewer can be guessed, and their hash too
ANYONE = "anyone"
"""The name of all clients where there are no keys."""


def new_key() -> str:
    """A key that nobody can guess."""
    return f"got-{secrets.token_urlsafe(32)}"


def hash_of(key: str) -> str:
    """What is kept of a key. Keys are long and random, so that one round of SHA-256 cannot be turned round."""
    return hashlib.sha256(key.encode()).hexdigest()


def line_of(name: str, key: str) -> str:
    """What a file of keys holds of one.

    Raises:
        InvalidOptionError: the name has other signs than letters, digits and `._@-`, or more than 64.
    """
    line = f"{name} {hash_of(key)}"
    if not _LINE.fullmatch(line):
        raise InvalidOptionError(f"The name of a key has up to 64 letters, digits and ._@-, got {name!r}.")
    return line


class Keys:
    """The keys that are accepted.

    Args:
        hashes: name -> hash.
    """

    def __init__(self, hashes: dict[str, str]) -> None:
        self._hashes = {name: bytes.fromhex(value) for name, value in hashes.items()}

    def __bool__(self) -> bool:
        return bool(self._hashes)

    def name(self, key: str) -> str | None:
        """Whose key it is; None if nobody's. It takes equally long for every key."""
        given = bytes.fromhex(hash_of(key))
        found = None
        for name, known in self._hashes.items():
            if hmac.compare_digest(given, known):
                found = name
        return found

    @classmethod
    def load(cls, file: Path | None = None, plain: Iterable[str] = ()) -> Keys:
        """Reads a file of keys.

        Args:
            file: lines of a name and the hash of its key, as `got-ocr2 serve --new-key NAME` writes them; `#` begins
                a comment.
            plain: keys as they are, named key1, key2, ...

        Raises:
            FileAccessError: the file cannot be read.
            InvalidOptionError: a line that is none, a name that comes twice, a key that is too short.
        """
        hashes: dict[str, str] = {}
        for number, key in enumerate(plain, 1):
            if len(key) < _LEAST:
                raise InvalidOptionError(
                    f"API key {number} has {len(key)} characters; it needs at least {_LEAST}. "
                    "`got-ocr2 serve --new-key NAME` makes one."
                )
            hashes[f"key{number}"] = hash_of(key)
        if file is not None:
            _read(file, hashes)
        return cls(hashes)


def _read(file: Path, hashes: dict[str, str]) -> None:
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise FileAccessError(f"The API keys in {printable(file)} cannot be read: {reason(e)}.") from e
    for number, line in enumerate(lines, 1):
        line = line.partition("#")[0].strip()
        if not line:
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise InvalidOptionError(
                f"Line {number} of {printable(file)} is not a name and the hash of a key; "
                "`got-ocr2 serve --new-key NAME` prints such a line."
            )
        if found["name"] in hashes:
            raise InvalidOptionError(
                f"Line {number} of {printable(file)}: the name {found['name']} comes twice."
            )
        hashes[found["name"]] = found["hash"]


class Rate:
    """So many requests a minute for each name, saved up for no longer than a minute; then the name is forgotten."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._left: dict[str, tuple[float, float]] = {}
        self._looked = time.monotonic()
        self._lock = Lock()

    def wait(self, name: str) -> float:
        """Takes one request; returns 0, or the seconds until there is one."""
        now = time.monotonic()
        with self._lock:
            if now - self._looked > 60:
                self._looked = now
                self._left = {name: value for name, value in self._left.items() if now - value[1] < 60}
            left, when = self._left.get(name, (float(self._per_minute), now))
            left = min(self._per_minute, left + (now - when) * self._per_minute / 60)
            if left < 1:
                self._left[name] = (left, now)
                return (1 - left) * 60 / self._per_minute
            self._left[name] = (left - 1, now)
            return 0.0
