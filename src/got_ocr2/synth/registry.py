"""Every kind of sample by name. Engines and their renderers are imported when they are asked for."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Literal, get_args

from ..errors import InvalidOptionError
from .sample import Engine

Kind = Literal[
    "text", "formula", "table", "page", "molecule", "music", "geometry", "chart", "region", "crop",
    "multipage", "line", "negative",
]  # fmt: skip

_PLAIN: Mapping[str, str] = MappingProxyType(
    {
        "text": "text.engine:TextEngine",
        "formula": "formulas.engine:FormulaEngine",
        "table": "tables.engine:TableEngine",
        "page": "pages.engine:PageEngine",
        "molecule": "molecules.engine:MoleculeEngine",
        "music": "music.engine:MusicEngine",
        "geometry": "geometry.engine:GeometryEngine",
        "chart": "charts.engine:ChartEngine",
        "negative": "composing.negatives:NegativeEngine",
        "line": "lines.engine:LineEngine",
    }
)
_COMMON = ("split", "language")


def create_engine(kind: str, **options: Any) -> Engine:
    """An engine by the name of its kind.

    Args:
        kind: one of `KINDS`.
        options: keyword arguments of the engine's constructor. `split` ("train" or "test") and `language` are
            understood for every kind; kinds that write no text, or none that is held out, have no use for
            them.

    Raises:
        InvalidOptionError: an unknown kind or option, or an option's value that the engine refuses.
    """
    if kind in _PLAIN:
        return _build(_class_of(_PLAIN[kind]), kind, options)
    if kind in _COMPOSED:
        common = {name: options.pop(name) for name in _COMMON if name in options}
        return _COMPOSED[kind](common, options)
    raise InvalidOptionError(f"Unknown kind of sample {kind!r}; it is one of {', '.join(KINDS)}.")


def _class_of(place: str) -> Callable[..., Engine]:
    module, _, name = place.partition(":")
    return getattr(import_module(f".{module}", __package__), name)


def _build(make: Callable[..., Engine], kind: str, options: Mapping[str, Any], **fixed: Any) -> Engine:
    known = inspect.signature(make).parameters
    for name in options:
        if name not in known and name not in _COMMON:
            names = ", ".join(
                parameter for parameter in known if parameter != "kind" and parameter not in fixed
            )
            raise InvalidOptionError(f"Engine {kind!r} has no option {name!r}; its options are {names}.")
    return make(**fixed, **{name: value for name, value in options.items() if name in known})


def _region(common: Mapping[str, Any], options: Mapping[str, Any]) -> Engine:
    from .composing.regions import RegionEngine
    from .mixture import Mixture

    text = create_engine("text", layouts={"paragraph": 1.0}, **common)
    source = Mixture([(text, 0.5), (create_engine("page", **common), 0.5)])
    return _build(RegionEngine, "region", options, source=source)


def _crop(common: Mapping[str, Any], options: Mapping[str, Any]) -> Engine:
    from .composing.patches import CropEngine

    return _build(CropEngine, "crop", options, source=create_engine("page", long_side=(1100, 1700), **common))


def _multipage(common: Mapping[str, Any], options: Mapping[str, Any]) -> Engine:
    from .composing.documents import MultiPageEngine

    return _build(MultiPageEngine, "multipage", options, source=create_engine("page", **common))


_COMPOSED: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], Engine]] = MappingProxyType({
    "region": _region, "crop": _crop, "multipage": _multipage,
})  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
