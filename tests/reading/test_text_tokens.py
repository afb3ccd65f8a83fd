"""Tokens that go along with a text spell it, however the text is put together."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageFont

from fake_ocr import END, fake_ocr, picture, tiff
from got_ocr2 import OCR
from got_ocr2.reading import PageRead, ReadOptions, TextPiece, TextWishes
from got_ocr2.reading.lines.line import Line

WISHES = TextWishes(tokens=True, top=2)


def told(ocr, source, wishes=WISHES, **options):
    """Texts of the pages, and the tokens that came with their pieces."""
    texts, tokens, pieces = [], [], []
    for event in ocr.reader(ReadOptions.of(**options), wishes=wishes).events([source]):
        if isinstance(event, TextPiece):
            pieces.append(event)
        elif isinstance(event, PageRead):
            assert event.result.error is None
            assert "".join(piece.text for piece in pieces) == event.result.text
            texts.append(event.result.text)
            tokens.append([token for piece in pieces for token in piece.tokens])
            pieces = []
    return texts, tokens


def spelt(tokens):
    return b"".join(token.bytes for token in tokens)


def page_of(*texts, width=900, size=24):
    image = Image.new("RGB", (width, 60 + 50 * len(texts)), "white")
    for n, text in enumerate(texts):
        ImageDraw.Draw(image).text((40, 30 + 50 * n), text, fill="black", font=ImageFont.load_default(size))
    return image


def test_tokens_of_pages():
    texts, tokens = told(
        fake_ocr(lambda pages: f"Größe {pages[0].width}, \U0001f600"), tiff((30, 20), (40, 20))
    )
    assert [spelt(own) for own in tokens] == [text.encode() for text in texts]
    for own in tokens:
        assert {token.logprob for token in own} == {-0.5}
        assert all(token.top[0][0] == token.bytes[0] and len(token.top) == 2 for token in own)
        assert all(token.top[0][0] != END for token in own)


@pytest.mark.parametrize("on_loop", ["stop", "penalise", "retry_cropped", "ignore"])
def test_tokens_of_pages_that_repeat_themselves(on_loop):
    ocr = fake_ocr(lambda pages: "Heading " + "over and over " * 60 + "end")
    ((text,), (tokens,)) = told(ocr, picture(), on_loop=on_loop)
    assert spelt(tokens) == text.encode()
    if on_loop in ("stop", "retry_cropped"):  # the others go on
        assert len(text) < 200


@pytest.mark.parametrize("paragraphs", [False, True])
@pytest.mark.parametrize("dehyphenate", [False, True])
@pytest.mark.parametrize("answer", ["word", " Größe  zehn ", "a\u3000b  divi-", "certainly x\u2010", "\t"])
def test_tokens_of_lines(answer, paragraphs, dehyphenate):
    image = page_of(*(" ".join(["some words on a line"] * n) for n in (1, 2, 3, 1)))
    ocr = fake_ocr(lambda pages: answer, reads="lines", logprob=-0.5)
    ((text,), (tokens,)) = told(ocr, image, paragraphs=paragraphs, dehyphenate=dehyphenate)
    assert spelt(tokens) == text.encode()
    assert bool(text) == bool(answer.strip())
    written = [token for token in tokens if token.top]
    assert all(token.logprob == -0.5 for token in written)
    assert {bytes for token in tokens if not token.top for bytes in token.bytes} <= {*b" \n"}


def test_tokens_that_reach_over_characters_and_words(real_vocab_model, real_vocab_processor, monkeypatch):
    """Those of a model with a large vocabulary, and random weights: they hold white space and broken characters."""
    monkeypatch.setattr(Line, "counts", property(lambda line: bool(line.text())))
    monkeypatch.setattr(Line, "is_print", property(lambda line: line.done))
    ocr = OCR(real_vocab_model, real_vocab_processor)
    image = page_of("some words", "others", "and a third line")
    for seed in range(6):
        options = {"max_new_tokens": 12, "on_loop": "ignore", "temperature": 3.0, "seed": seed}
        ((text,), (tokens,)) = told(ocr, image, lines=True, **options)
        assert spelt(tokens) == text.encode()
        ((text,), (tokens,)) = told(ocr, image, lines=False, **options)
        assert spelt(tokens).decode(errors="replace") == text
    ocr.close()


def test_nobody_pays_for_tokens_that_were_not_asked_for():
    _, (tokens,) = told(fake_ocr(), picture(), wishes=None)
    assert tokens == []
