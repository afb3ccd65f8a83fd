"""Options in groups: what belongs together is one parameter of a command, and one class that other commands share."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from inspect import Parameter, Signature, signature
from typing import Any, get_type_hints


def grouped(command: Callable[..., int]) -> Callable[..., int]:
    """The command as typer wants it: instead of a parameter whose type is a dataclass, the fields of that class.

    Args:
        command: its other parameters, and the fields, are typer's options and arguments. No name stands in two groups.
    """
    hints = get_type_hints(command, include_extras=True)
    groups: dict[str, Any] = {name: hint for name, hint in hints.items() if is_dataclass(hint)}

    @functools.wraps(command)
    def flat(**given: Any) -> int:
        for name, group in groups.items():
            given[name] = group(**{field.name: given.pop(field.name) for field in fields(group)})
        return command(**given)

    parameters: list[Parameter] = []
    for name, parameter in signature(command).parameters.items():
        parameters += _resolved(groups[name]) if name in groups else [_keyword(parameter, hints)]
    flat.__annotations__ = {one.name: one.annotation for one in parameters} | {"return": int}
    flat.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    return flat


def _resolved(group: Any) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [_keyword(parameter, hints) for parameter in signature(group).parameters.values()]


def _keyword(parameter: Parameter, hints: dict[str, Any]) -> Parameter:
    return parameter.replace(kind=Parameter.KEYWORD_ONLY, annotation=hints[parameter.name])
