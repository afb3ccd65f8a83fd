"""Whether a run may write into an output: where nothing else lies, or with the options of the run that lies there."""

from __future__ import annotations

from typing import Any

from ..errors import InvalidOptionError
from .store import FOLDERS, JOB, Store


def check_output(store: Store, *, resume: bool) -> None:
    """Looks without changing anything.

    Raises:
        InvalidOptionError: a run lies there and is not to be gone on with, or other files do.
        FileAccessError: it cannot be looked at.
    """
    root = store.place.where("")
    if store.place.exists(JOB):
        if not resume:
            raise InvalidOptionError(
                f"{root} holds a run already; go on with --resume, or name another folder."
            )
    elif any(name not in (".lock", *FOLDERS) for name in store.place.names("")):
        raise InvalidOptionError(f"{root} holds other files; a run needs a folder of its own.")


def check_identity(store: Store, identity: dict[str, Any], *, resume: bool) -> None:
    """Writes what this run does, or compares it with what the earlier one did.

    Args:
        identity: `BatchOptions.identity`.

    Raises:
        InvalidOptionError: they differ, or a run has come since `check_output`.
        InputError: the record of the earlier run is damaged.
    """
    root = store.place.where("")
    earlier = store.read_json(JOB)
    if earlier is None:
        store.write_json(JOB, {"identity": identity}, indent=1)
        return
    if not resume:
        raise InvalidOptionError(f"{root} holds a run already; go on with --resume.")
    before = earlier.get("identity")
    if before == identity:
        return
    names = [name for name in identity if not isinstance(before, dict) or before.get(name) != identity[name]]
    first = names[0] if names else "options"
    was = before.get(first) if isinstance(before, dict) else None
    raise InvalidOptionError(
        f"{root} was made with another {first}: {was!r}, now {identity.get(first)!r}; its rows would "
        "not go together. Name another folder, or take the same options."
    )
