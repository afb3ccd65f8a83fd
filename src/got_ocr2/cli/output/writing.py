"""Files that appear whole or not at all, and never in place of what somebody else put there."""

from __future__ import annotations

import contextlib
import errno
import functools
import glob
import hashlib
import json
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO, Literal

from ...errors import FileAccessError
from ...wording import printable, reason

Existing = Literal["refuse", "replace"]

_PARTIAL_END = re.compile(r"\[got-ocr2: incomplete; (?P<why>[^\n]*); sum (?P<sum>[0-9a-f]{16})\]\n\Z")
_OWN_STREAMS = {
    **dict.fromkeys(("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"), 1),
    **dict.fromkeys(("/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"), 2),
}
_WITHOUT_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES, errno.EINVAL}


_ASIDE = re.compile(r"\.got-ocr2-[0-9a-f]{12}\.part")
_STALE = 3600.0  # seconds after which nobody writes any more into a file that is not in its place


class AlreadyThereError(FileAccessError):
    """The file came into being after it was found missing; it was left as it is."""


def write_whole(path: Path, text: str | bytes, existing: Existing) -> None:
    """Writes a file that appears whole, with its folders.

    A link is followed, so that the file behind it is replaced and the link stays. A terminal, pipe or other stream
    is written into. A file that is replaced keeps its permissions; other names of it (hard links) keep the old text.

    Args:
        path: the file.
        text: what it says, written as UTF-8; what is not Unicode, such as half a surrogate pair, is escaped.
        existing: what to do if there is a file of this name, even if it has come just now.

    Raises:
        AlreadyThereError: there is one, and `existing` is "refuse".
        FileAccessError: it cannot be written, or it is write-protected, a folder or a disk.
        BrokenPipeError: the name stands for standard output, whose reader went away.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", errors="backslashreplace")
    try:
        stream = own_stream(path)
        if stream is not None:
            stream.write(data)
            stream.flush()
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, data, existing)
    except FileAccessError:
        raise
    except BrokenPipeError:
        if own_stream(path) is not None:
            raise  # whoever reads what this program prints went away, and it ends as programs do
        raise FileAccessError(f"{printable(path)} cannot be written: its reader went away.") from None
    except FileExistsError as e:
        if not os.path.lexists(path):  # a folder on the way is a file
            raise FileAccessError(f"{printable(path)} cannot be written: {reason(e)}.") from e
        raise AlreadyThereError(
            f"{printable(path)} has come into being meanwhile and was not overwritten."
        ) from e
    except (OSError, ValueError, RuntimeError) as e:  # a null byte; a loop of links in older versions
        raise FileAccessError(f"{printable(path)} cannot be written: {reason(e)}.") from e


def is_stream(path: Path) -> bool:
    """Whether the name stands for a terminal, a pipe or the like, in which writing destroys nothing."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return own_stream(path) is not None
    return own_stream(path) is not None or stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


def own_stream(path: Path) -> BinaryIO | None:
    """Standard output or error of this process if the name stands for it, or for the file it goes to."""
    number = _OWN_STREAMS.get(os.path.abspath(path))
    for stream, own in ((sys.stdout, 1), (sys.stderr, 2)):
        buffer = getattr(stream, "buffer", None)
        if buffer is None:
            continue
        if number == own:
            return buffer
        with contextlib.suppress(OSError, ValueError):
            if number is None and os.path.samestat(os.stat(path), os.fstat(stream.fileno())):
                return buffer
    return None


def _write(path: Path, data: bytes, existing: Existing) -> None:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        found = None
    if found is None or stat.S_ISREG(found.st_mode):
        # Also behind a link that leads to no file yet.
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        _replace(target, data, existing, found)
    elif stat.S_ISCHR(found.st_mode) or stat.S_ISFIFO(found.st_mode):
        with open(path, "wb", buffering=0) as file:
            _write_all(file.fileno(), data)
    elif stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    else:
        raise FileAccessError(f"{printable(path)} is no file and no stream; nothing was written to it.")


def _replace(target: Path, data: bytes, existing: Existing, found: os.stat_result | None) -> None:
    if found is not None:
        if existing == "refuse":
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
        if not found.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise FileAccessError(f"{printable(target)} is write-protected and was not overwritten.")
    _sweep(target.parent)
    # A short name of its own: the target's may be as long as the file system allows.
    aside = target.with_name(f".got-ocr2-{secrets.token_hex(6)}.part")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)  # some file systems tell of a full disk only now
        finally:
            os.close(descriptor)
        if found is not None:
            with contextlib.suppress(OSError):  # file systems without permissions
                os.chmod(aside, stat.S_IMODE(found.st_mode))
        if existing == "replace":
            os.replace(aside, target)
        else:
            _publish(aside, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(aside)


def _publish(aside: Path, target: Path) -> None:
    """Gives the file its name unless another one, of another process perhaps, has it."""
    try:
        os.link(aside, target)
    except FileExistsError:
        raise
    except OSError as e:
        if e.errno not in _WITHOUT_LINKS:
            raise
        # No hard links here: take the name, then replace what holds it.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
        try:
            os.replace(aside, target)
        except BaseException:
            os.unlink(target)
            raise


@functools.cache
def _sweep(folder: Path) -> None:
    """Removes what earlier runs that were killed left in a folder."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not _ASIDE.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
                continue
            with contextlib.suppress(OSError):
                if time.time() - entry.stat().st_mtime > _STALE:
                    os.unlink(entry.path)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def check_new(paths: Iterable[Path | None], instead: str = "--force") -> None:
    """Refuses to overwrite; a terminal or pipe has nothing to lose.

    Args:
        paths: what will be written.
        instead: the options that allow it.

    Raises:
        FileAccessError: a file of one of these names is there already.
    """
    there = [path for path in paths if path is not None and os.path.lexists(path) and not is_stream(path)]
    if there:
        more = f" and {len(there) - 1} more" if len(there) > 1 else ""
        raise FileAccessError(f"{printable(there[0])}{more} would be overwritten; choose {instead}.")


def write_partial(path: Path, data: bytes) -> Path:
    """Writes what was made of an incomplete document, in any format, in place of what earlier runs made of it.

    Args:
        path: where; a sum of the data is added to its name, by which `remove_partials` knows them again.
        data: the file.

    Returns:
        The file that was written.

    Raises:
        FileAccessError: as `write_whole`.
    """
    number, target = 1, path.with_name(f"{path.stem}~{_sum(data)}{path.suffix}")
    while os.path.lexists(target) and not _is_partial(target):  # somebody has changed it
        number += 1
        target = path.with_name(f"{path.stem}-{number}~{_sum(data)}{path.suffix}")
    old = [other for other in _partials(path) if other != target]
    write_whole(target, data, "replace" if os.path.lexists(target) else "refuse")
    _remove(old)
    return target


def remove_partials(path: Path) -> None:
    """Removes what `write_partial` wrote for this path, unless somebody has changed it since."""
    _remove(_partials(path))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def _partials(path: Path) -> list[Path]:
    own = re.compile(rf"{re.escape(path.stem)}(-\d+)?~[0-9a-f]{{16}}{re.escape(path.suffix)}")
    near = path.parent.glob(f"{glob.escape(path.stem)}*")
    return [found for found in near if own.fullmatch(found.name) and _is_partial(found)]


def _is_partial(found: Path) -> bool:
    """Whether the sum in a name is that of the file."""
    try:
        return (
            not found.is_symlink()
            and found.is_file()
            and found.stem.rpartition("~")[2] == _sum(found.read_bytes())
        )
    except OSError:
        return False


def marked_partial(text: str, why: str) -> str:
    """A text whose pages are not all there; its last line says so.

    The line holds a sum of what stands before it: by that, `is_own_partial` knows what nobody has changed.
    """
    start = f"{text}\n" if text else ""
    why = " ".join(why.split())
    return f"{start}[got-ocr2: incomplete; {why}; sum {_sum(start + why)}]\n"


def is_own_partial(path: Path) -> bool:
    """Whether this program wrote the file for a document that failed, and nobody has changed it since.

    A text was made by `marked_partial`; JSON is a failed result in the form that we write.
    """
    try:
        if path.is_symlink() or not path.is_file():
            return False
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    if path.suffix.lower() == ".json":
        return _is_own_json(text)
    found = _PARTIAL_END.search(text)
    return found is not None and _sum(text[: found.start()] + found["why"]) == found["sum"]


def _is_own_json(text: str) -> bool:
    try:
        result: Any = json.loads(text)
    except ValueError:
        return False
    if not isinstance(result, dict) or result.get("kind") not in ("page", "document"):
        return False
    written = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    same = written.encode("utf-8", errors="backslashreplace") == text.encode("utf-8")
    return result.get("status") == "failed" and same


def _sum(text: str | bytes) -> str:
    data = text if isinstance(text, bytes) else text.encode("utf-8", errors="backslashreplace")
    return hashlib.sha256(data).hexdigest()[:16]
