"""What `render` of a result gives back, and the room that makes it."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Protocol


class RenderedFile(Protocol):
    """What `render` gives back: a `rendering.Rendered`, which documents the fields."""

    @property
    def data(self) -> bytes: ...
    @property
    def text(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    @property
    def problems(self) -> tuple[Any, ...]: ...


def rendering_room() -> Any:
    """The room above that draws results, for the two methods that users call; it is opened by name, when asked."""
    return import_module(f"{__name__.partition('.')[0]}.rendering")
