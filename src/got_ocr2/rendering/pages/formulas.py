"""Formulas made safe for TeX and browsers, and repaired where that is certain."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from .math_words import ENVIRONMENTS, WORDS

MOST_CHARACTERS = 20_000  # in a formula
MOST_NESTED = 40  # braces and environments in a formula

_TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]+)|\\(?P<sign>.|$)|(?P<brace>[{}])|(?P<hat>\^\^)|(?P<comment>[%#])|(?P<dollar>\$)",
    re.DOTALL,
)
_NAMES = frozenset(
    ("tr", "rank", "diag", "sgn", "argmax", "argmin")
)  # often written, but no commands of LaTeX
_NAME = re.compile(r"[ \t\n]*\{([A-Za-z]+\*?)\}")
_SIZED = re.compile(r"\\(?:left|right)(?![A-Za-z])\s*(\\[{}|]|\\[A-Za-z]+|.)?")


class Formula(NamedTuple):
    """A formula that may be handed on, or the reason why not; and what was repaired."""

    tex: str
    refused: str | None = None
    repaired: str | None = None


@lru_cache(maxsize=1024)
def checked(tex: str) -> Formula:
    """A formula without anything that could act: unknown commands refuse it, and so does what cannot be closed."""
    if len(tex) > MOST_CHARACTERS:
        return Formula(tex, f"the formula has {len(tex)} characters, more than {MOST_CHARACTERS}")
    tex, repaired = _sizes_in_pairs(tex)
    out: list[str] = []
    stack: list[str] = []
    at = 0
    for match in _TOKEN.finditer(tex):
        if match.start() < at:  # the braces of an environment's name
            continue
        out.append(tex[at : match.start()])
        at = match.end()
        token, word = match.group(), match.group("word")
        if match.group("hat"):
            return Formula(tex, "the formula has ^^, which could hide a command")
        if match.group("comment"):
            token = "\\" + token
        elif match.group("dollar"):
            token = ""
        elif match.group("sign") == "":
            return Formula(tex, "the formula ends with a backslash")
        elif match.group("brace") == "{":
            stack.append("{")
        elif match.group("brace") == "}":
            if not stack or stack.pop() != "{":
                return Formula(tex, "the formula has a closing brace without an opening one")
        elif word in {"begin", "end"}:
            name = _NAME.match(tex, at)
            if name is None or name.group(1).rstrip("*") not in ENVIRONMENTS:
                return Formula(tex, f"the formula has a \\{word} of an unknown environment")
            if word == "begin":
                stack.append(name.group(1))
            elif not stack or stack.pop() != name.group(1):
                return Formula(tex, f"the formula ends {name.group(1)} where it is not open")
            token, at = token + name.group(), name.end()
        elif word in _NAMES:
            token = f"\\operatorname{{{word}}}"
        elif word is not None and word not in WORDS:
            return Formula(tex, f"the formula has the command \\{word[:40]}, which is not known")
        if len(stack) > MOST_NESTED:
            return Formula(tex, f"the formula is nested deeper than {MOST_NESTED} levels")
        out.append(token)
    out.append(tex[at:])
    if any(name != "{" for name in stack):
        return Formula(tex, "the formula has an environment that is never closed")
    if stack:
        out.append("}" * len(stack))
        repaired = "the formula lacks closing braces; they were added at its end"
    return Formula("".join(out), None, repaired)


def _sizes_in_pairs(tex: str) -> tuple[str, str | None]:
    r"""Without `\left` and `\right` where they are not as many, and what was repaired."""
    if len(re.findall(r"\\left(?![A-Za-z])", tex)) == len(re.findall(r"\\right(?![A-Za-z])", tex)):
        return tex, None
    tex = _SIZED.sub(lambda m: "" if m.group(1) in {".", None} else m.group(1), tex)
    return tex, "the formula has not as many \\left as \\right; they were left out"
