"""The tokens of a line of a page, whose text is not quite what the model wrote for its pieces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING

from ..confidence import spelt
from ..text_tokens import TextToken, TokenBytes

if TYPE_CHECKING:
    from ..attempts import Attempt
    from .line import Line


def tokens_of_line(line: Line, token_bytes: TokenBytes) -> list[TextToken]:
    """The tokens that spell `line.text()`: those of its pieces without the white space that is left out there.

    Raises:
        Exception: whatever a piece failed with.
    """
    found: list[TextToken] = []
    for piece, attempt in zip(line.pieces, line.attempts, strict=True):
        own = _single_spaced(attempt, token_bytes)
        if found and own and not piece.joins_word:
            found.append(TextToken(b" "))
        found += own
    return found


def _single_spaced(attempt: Attempt, token_bytes: TokenBytes) -> list[TextToken]:
    """What spells `" ".join(text.split())`."""
    text, characters = attempt.writing.text, _by_character(attempt, token_bytes)
    found: list[tuple[int, TextToken]] = []
    space: list[tuple[int, TextToken]] = []
    for character, its in zip(text, characters, strict=False):
        if character.isspace():
            space = [(-1, TextToken(b" "))] if space or character != " " else its
        else:
            found += [*(space if found else ()), *its]
            space = []
    return [_one([token for _, token in its]) for its in _runs(found)]


def _by_character(attempt: Attempt, token_bytes: TokenBytes) -> list[list[tuple[int, TextToken]]]:
    """For every character of the text the tokens that hold its bytes, each with its place among all tokens."""
    tokens = attempt.text_tokens(token_bytes)
    text = attempt.writing.text
    found: list[list[tuple[int, TextToken]]] = []
    for character, (first, last) in zip(text, spelt([token.bytes for token in tokens]), strict=False):
        own = tokens[first : last + 1]
        if first == last:
            found.append([(first, replace(own[0], bytes=character.encode()))])
        elif b"".join(token.bytes for token in own) == character.encode():
            found.append(list(zip(range(first, last + 1), own, strict=True)))
        else:  # broken bytes, or tokens that reach into its neighbours
            both = sum(token.logprob for token in own)
            found.append([(-1, TextToken(character.encode(), both))])
    return found


def _runs(tokens: Iterable[tuple[int, TextToken]]) -> Iterable[list[tuple[int, TextToken]]]:
    """Parts of one token, which stand side by side, together."""
    alone = 0

    def key(pair: tuple[int, TextToken]) -> tuple[int, int]:
        nonlocal alone
        alone += pair[0] < 0
        return pair[0], alone

    return (list(run) for _, run in groupby(tokens, key))


def _one(parts: Sequence[TextToken]) -> TextToken:
    return replace(parts[0], bytes=b"".join(part.bytes for part in parts))
