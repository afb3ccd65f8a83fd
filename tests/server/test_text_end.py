"""Where texts of several pages end, whatever pieces and tokens they come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from got_ocr2.processing import DecodeStream
from got_ocr2.reading import TextPiece, TextToken, TextWishes
from got_ocr2.results import PAGE_SEPARATOR, PageResult
from got_ocr2.server.api.text_end import TextEnd

# Texts as tokens of one to four bytes, which may begin and end within a character.
TOKENS = st.lists(st.sampled_from(["a", "b", "ab", "é", "中x", " a", "\n"]), max_size=12).flatmap(
    lambda words: st.lists(st.integers(1, 4), min_size=40, max_size=40).map(
        lambda sizes: _cut("".join(words).encode(), sizes)
    )
)
PAGES = st.lists(TOKENS, max_size=3)


def _cut(data, sizes):
    out = []
    for size in sizes:
        if data:
            out.append(data[:size])
            data = data[size:]
    return out


def told(end, pages, together=2):
    """What comes out, as a reader would put it in: `together` tokens at a time."""
    pieces = []
    for tokens in pages:
        stream = DecodeStream(lambda id, own=tokens: own[id])
        for first in range(0, len(tokens), together):
            if end.reason is not None:
                break
            ids = range(first, min(first + together, len(tokens)))
            text = "".join(map(stream.put, ids))
            pieces.append(end.put(TextPiece(text, tuple(TextToken(tokens[id], -1.0) for id in ids))))
        end.page(PageResult(text="", status="complete", finish_reason="stop", tokens=len(tokens) + 1))
        if end.reason is not None:
            break
    pieces.append(end.end())
    return "".join(piece.text for piece in pieces), [token for piece in pieces for token in piece.tokens]


def whole(pages):
    return PAGE_SEPARATOR.join(text for tokens in pages if (text := b"".join(tokens).decode()))


@given(
    PAGES,
    st.lists(st.sampled_from(["b", "aa", "éa", "中", "\n\n", "a\n\na", "zz"]), max_size=3),
    st.integers(1, 3),
)
def test_a_text_ends_before_the_first_stop_string_and_its_tokens_spell_it(pages, stops, together):
    end = TextEnd(TextWishes(stops=tuple(stops), tokens=True), by_lines=True)
    text, tokens = told(end, pages, together)
    full = whole(pages)
    places = [place for stop in stops if (place := full.find(stop)) >= 0]
    assert text == full[: min(places, default=len(full))]
    assert end.reason == ("stop" if places else None)
    assert b"".join(token.bytes for token in tokens) == text.encode()


@given(PAGES, st.integers(1, 20), st.integers(1, 3))
def test_a_text_has_no_more_tokens_than_it_may(pages, most, together):
    end = TextEnd(TextWishes(tokens=True), most=most, by_lines=True)
    text, tokens = told(end, pages, together)
    written = [token for token in tokens if token.logprob]
    count = sum(len(page) for page in pages)
    assert end.reason == ("length" if count > most else None)
    assert end.used == len(written) <= most
    if count <= most:
        assert text == whole(pages)
        assert len(written) == count
    else:
        # A character whose last bytes did not come is not there, nor are its first.
        kept, room = [], most
        for page in pages:
            kept.append(page[:room])
            room -= len(kept[-1])
        expected = PAGE_SEPARATOR.join(
            part for page in kept if (part := b"".join(page).decode("utf-8", "ignore"))
        )
        assert text == expected
    assert text.encode().startswith(b"".join(token.bytes for token in tokens))


def test_what_a_page_wrote_counts_with_its_end_token():
    end = TextEnd(TextWishes(tokens=True), most=9)
    pages = [[b"a", b"b"], [b"c", b"d"]]
    assert told(end, pages)[0] == "ab\n\ncd"
    assert (end.used, end.reason) == (6, None)
    short = TextEnd(TextWishes(tokens=True), most=4)
    assert told(short, pages)[0] == "ab\n\nc"
    assert (short.used, short.reason) == (4, "length")


def test_a_token_that_reaches_into_a_stop_string_is_cut():
    end = TextEnd(TextWishes(stops=("lo w",), tokens=True))
    text, tokens = told(end, [[b"hel", b"lo", b" wor", b"ld"]], 1)
    assert text == "hel"
    assert [token.bytes for token in tokens] == [b"hel"]
    end = TextEnd(TextWishes(stops=("o",), tokens=True))
    assert [token.bytes for token in told(end, [[b"hel", b"lo", b" wor"]], 1)[1]] == [b"hel", b"l"]
