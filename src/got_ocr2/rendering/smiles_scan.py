"""Where a SMILES string breaks the grammar, and where its atoms stand (OpenSMILES, http://opensmiles.org).

RDKit says that a string cannot be read, but its reason goes to a log and not to the caller. This scan is only asked
for a reason once RDKit has refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<atom>\[[^\[\]\s]*\]|Br|Cl|[BCNOPSFI*]|[bcnops])|(?P<bond>[-=#$:/\\~])|(?P<ring>%\d\d|%\(\d+\)|\d)"
    r"|(?P<dot>\.)|(?P<open>\()|(?P<close>\))"
)
_BRACKET = re.compile(
    r"\[\d*(?:[A-Z][a-z]?|[bcnops]|se|as|te|\*|#\d+)(?:@(?:@|(?:TH|AL|SP|TB|OH)\d+)?)?(?:H\d*)?(?:[+-]+\d*)?(?::\d+)?\]"
)


@dataclass(frozen=True)
class Fault:
    """What is wrong, and the offset of the character where it shows."""

    offset: int
    reason: str


def atom_offsets(smiles: str) -> list[int]:
    """Where each atom begins, in the order in which RDKit numbers them."""
    return [found.start() for found in _TOKEN.finditer(smiles) if found.lastgroup == "atom"]


def first_fault(smiles: str) -> Fault | None:
    """The first thing that no SMILES string may have, from the left; None where this scan finds none."""
    branches: list[int] = []
    rings: dict[str, int] = {}
    at, before, last_bond, atom = 0, "start", 0, 0
    while at < len(smiles):
        found = _TOKEN.match(smiles, at)
        if found is None:
            return _unknown(smiles, at)
        kind, token = found.lastgroup or "", found.group()
        if kind == "atom" and token[0] == "[" and not _BRACKET.fullmatch(token):
            return Fault(at, f"{token[:40]} is no atom in brackets")
        if (
            kind in {"bond", "ring", "open", "close"}
            and before == "start"
            and not (kind == "bond" and branches)
        ):
            return Fault(at, f"{token!r} has no atom before it")
        if kind == "atom":
            atom = at
        elif kind == "bond":
            if before == "bond":
                return Fault(at, f"two bonds follow one another, {smiles[at - 1]!r} and {token!r}")
            last_bond = at
        elif kind in {"close", "dot"} and before == "bond":
            return Fault(last_bond, f"the bond {smiles[last_bond]!r} leads to no atom")
        if kind == "ring":
            number = token.strip("%()").lstrip("0")
            if number in rings and atom < rings[number]:
                return Fault(at, f"ring {number or 0} binds an atom to itself")
            if number in rings:
                del rings[number]
            else:
                rings[number] = at
        elif kind == "open":
            branches.append(at)
        elif kind == "close":
            if not branches:
                return Fault(at, "')' closes no branch")
            branches.pop()
        before = {"dot": "start", "open": "start", "close": "atom", "ring": "atom"}.get(kind, kind)
        at = found.end()
    if before == "bond":
        return Fault(last_bond, f"the bond {smiles[last_bond]!r} leads to no atom")
    if branches:
        return Fault(branches[-1], "the branch that opens here is never closed")
    if rings:
        number, place = next(iter(rings.items()))
        return Fault(place, f"ring {number or 0} is opened here and never closed")
    return None


def _unknown(smiles: str, at: int) -> Fault:
    character = smiles[at]
    if character == "[":
        return Fault(at, "the atom in brackets that opens here is never closed")
    if character.isspace():
        return Fault(at, "white space ends the molecule, but more follows")
    return Fault(at, f"{character!r} is no atom, bond, branch or ring number")
