"""What every configuration does: named fields that are checked when they are set, and JSON in and out."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, TypeVar, cast

from ..errors import ConfigError, FileAccessError

C = TypeVar("C", bound="JsonConfig")
LARGEST = 1 << 24  # of any size; the published model's largest is its vocabulary, 151,860


def pair(name: str, value: object) -> tuple[int, int]:
    """`n` or `[h, w]` -> `(h, w)`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    if isinstance(value, (list, tuple)):
        sides = cast("Sequence[object]", value)
        if len(sides) == 2 and isinstance(sides[0], int) and isinstance(sides[1], int):
            return sides[0], sides[1]
    raise ConfigError(f"{name} must be one whole number or a pair (height, width), got {value!r}.")


def check_positive(config: object, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"{type(config).__name__}.{name} must be a whole number >= 1, got {value!r}.")


def check_above_zero(config: object, *names: str) -> None:
    for name in names:
        if not getattr(config, name) > 0:
            raise ConfigError(
                f"{type(config).__name__}.{name} must be above 0, got {getattr(config, name)!r}."
            )


def _check_types(config: JsonConfig) -> None:
    """Refuses a value of another type than its field's, and numbers that are not finite."""
    for f in dataclasses.fields(config):
        value, known = getattr(config, f.name), _TYPES.get(str(f.type))
        if known is None:
            continue
        words, fits = known
        if not fits(value):
            raise ConfigError(f"{type(config).__name__}.{f.name} must be {words}, got {value!r}.")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST


def _is_number(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e300
    return whole or (isinstance(value, float) and math.isfinite(value))


def _are_whole(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_whole, cast("Sequence[object]", value)))


_TYPES: dict[str, tuple[str, Callable[[object], bool]]] = {
    "int": (f"a whole number up to {LARGEST}", _is_whole),
    "float": ("a finite number", _is_number),
    "bool": ("true or false", lambda value: isinstance(value, bool)),
    "str": ("a text", lambda value: isinstance(value, str)),
    "tuple[int, ...]": (f"whole numbers up to {LARGEST}", _are_whole),
}


def _no_extra() -> dict[str, Any]:
    return {}


@dataclass(kw_only=True)
class JsonConfig:
    """Base of the configurations.

    A field may be written, and is checked as it was when it was made; what does not fit is refused and changes
    nothing. Any other name that is written goes to `extra`, is read from there, and is saved with the rest, as in
    transformers. A model that is already built does not change with its configuration.

    Attributes:
        extra: what a `config.json` says beside the fields.
    """

    # Facts about every GOT-OCR2 model that libraries around transformers ask a configuration for.
    is_encoder_decoder: ClassVar[bool] = False
    _aliases: ClassVar[Mapping[str, str]] = {}

    extra: dict[str, Any] = field(default_factory=_no_extra, repr=False)

    def __post_init__(self) -> None:
        _check_types(self)
        self.check()
        self.__dict__["_made"] = True

    def check(self) -> None:
        """Brings the fields into their one form; raises `ConfigError` for what no model could be built from."""

    def __setattr__(self, name: str, value: Any) -> None:
        name = self._aliases.get(name, name)
        if name not in {f.name for f in dataclasses.fields(self)}:
            self.extra[name] = value
            return
        before = dict(self.__dict__)
        self.__dict__[name] = value
        if self.__dict__.get("_made"):
            try:
                _check_types(self)
                self.check()
            except Exception:
                self.__dict__.update(before)
                raise

    def __getattr__(self, name: str) -> Any:
        # Only for names that are not there; half-made copies have no `extra` yet.
        alias = type(self)._aliases.get(name)
        if alias is not None:
            return getattr(self, alias)
        extra = self.__dict__.get("extra", {})
        if name in extra:
            return extra[name]
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a field or an extra key, or `default`."""
        return getattr(self, name, default)

    def update(self, values: Mapping[str, Any]) -> None:
        """Writes several values, one after the other."""
        for name, value in values.items():
            setattr(self, name, value)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-serialisable dict, `extra` keys included."""
        out: dict[str, Any] = {}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name == "extra":
                continue
            if isinstance(value, JsonConfig):
                value = value.to_dict()
            elif isinstance(value, tuple):
                value = list(cast("tuple[object, ...]", value))
            out[f.name] = value
        return {**copy.deepcopy(self.extra), **out}

    def to_json_string(self) -> str:
        """`to_dict` as indented JSON with a line break at its end."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, default=str) + "\n"

    @classmethod
    def from_dict(cls: type[C], data: Mapping[str, Any], **changes: Any) -> C:
        """Builds the config; keys it does not know are kept in `extra` and written back by `to_dict`.

        Args:
            data: as `to_dict` gives it.
            **changes: values that replace those of `data`.
        """
        data = {**data, **changes}
        names = {f.name for f in dataclasses.fields(cls)} - {"extra"}
        known = {cls._aliases.get(k, k): v for k, v in data.items() if cls._aliases.get(k, k) in names}
        extra = {k: v for k, v in data.items() if cls._aliases.get(k, k) not in names}
        try:
            return cls(**known, extra=extra)
        except TypeError as e:
            raise ConfigError(f"{cls.__name__} cannot be built from {known!r}: {e}.") from e

    @classmethod
    def from_json_file(cls: type[C], path: str | PathLike[str]) -> C:
        """Reads a `config.json` in HF's dialect.

        Raises:
            ConfigError: the file is not JSON, or describes an impossible model.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as e:
            raise ConfigError(f"{path} cannot be read as a JSON configuration: {e}.") from e
        if not isinstance(data, dict):
            raise ConfigError(f"{path} must hold a JSON object, got {type(data).__name__}.")
        return cls.from_dict(cast("dict[str, Any]", data))

    def to_json_file(self, path: str | PathLike[str]) -> None:
        """Writes `config.json` in HF's dialect.

        Raises:
            FileAccessError: the file cannot be written.
        """
        try:
            Path(path).write_text(self.to_json_string(), encoding="utf-8")
        except OSError as e:
            raise FileAccessError(f"{path} cannot be written: {e.strerror}.") from e
