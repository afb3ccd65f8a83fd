from __future__ import annotations

import threading

import numpy as np
import pytest

from got_ocr2.documents import open_document, open_source
from got_ocr2.documents.joined import JoinedDocument
from got_ocr2.errors import EncryptedDocumentError, InputError, InvalidOptionError
from make_pdf import make_pdf


def ink(image) -> float:
    """Share of dark pixels."""
    return float((np.asarray(image.convert("L")) < 128).mean())


def test_pages_are_drawn_black_on_white_at_the_resolution_asked_for():
    data = make_pdf(["Hello", "", "World"], size=(144, 72))
    pages = list(open_source(data, dpi=100))
    assert [(page.number, page.image.mode, page.image.size) for page in pages] == [
        (n, "RGB", (200, 100)) for n in (1, 2, 3)
    ]
    assert [ink(page.image) > 0.01 for page in pages] == [True, False, True]
    assert pages[1].image.getpixel((0, 0)) == (255, 255, 255)


def test_the_default_resolution_is_200_dpi():
    (page,) = open_source(make_pdf(["x"], size=(72, 36)))
    assert page.image.size == (200, 100)


def test_a_turned_page_is_seen_upright():
    (page,) = open_source(make_pdf(["x"], size=(72, 36), rotate=90), dpi=72)
    assert page.image.size == (36, 72)


def test_pages_are_chosen_and_outlive_the_file():
    with open_document(make_pdf(["a", "b", "c"]), pages="3,1") as document:
        pages = list(document)
    assert [page.number for page in pages] == [3, 1]
    assert all(ink(page.image) > 0 for page in pages)


def test_a_page_that_is_not_there():
    with pytest.raises(InvalidOptionError, match="Page 4 was asked for, but <bytes> ends at page 3"):
        open_document(make_pdf(["a", "b", "c"]), pages="2-4")


def test_encrypted_files_ask_for_their_password():
    data = make_pdf(["secret"], password="open sesame")
    with pytest.raises(
        EncryptedDocumentError, match=r"^<bytes> is encrypted and needs a password\.$"
    ) as caught:
        open_document(data)
    assert caught.value.exit_code == 8
    with pytest.raises(EncryptedDocumentError, match="does not open with this password"):
        open_document(data, password="open barley")
    (page,) = open_source(data, password="open sesame")
    plain = next(iter(open_source(make_pdf(["secret"]))))
    assert page.image.tobytes() == plain.image.tobytes()


def test_a_password_that_is_not_needed_is_ignored():
    (page,) = open_source(make_pdf(["x"]), password="anything")
    assert page.number == 1


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"%PDF-1.4\n", "is damaged and cannot be opened as a PDF"),
        (make_pdf(["x"])[:60], "is damaged and cannot be opened as a PDF"),
        (make_pdf([]), "is a PDF without pages"),
    ],
    ids=["header-only", "truncated", "no-pages"],
)
def test_damaged_files_are_refused_in_one_sentence(data, message):
    with pytest.raises(InputError, match=f"^<bytes> .*{message}.*") as caught:
        open_document(data)
    assert caught.value.exit_code == 2
    assert "\n" not in str(caught.value)


def test_a_page_too_large_to_draw_names_the_resolution_and_the_limit():
    with (
        open_document(make_pdf(["x"], size=(14400, 14400))) as document,
        pytest.raises(
            InputError,
            match=r"^At 200 dpi <bytes> is 40000 x 40000 = 1,600,000,000 pixels, more than .*89,000,000",
        ),
    ):
        document.load(1)


@pytest.mark.parametrize("dpi", [0, -72, float("nan"), float("inf")])
def test_impossible_resolutions(dpi):
    with pytest.raises(InvalidOptionError, match=f"dpi must be above 0, got {dpi}"):
        open_document(make_pdf(["x"]), dpi=dpi)


def test_junk_before_the_header_is_allowed():
    (page,) = open_source(b"\n" * 100 + make_pdf(["x"]))
    assert ink(page.image) > 0


def test_threads_may_share_a_document():
    data = make_pdf([f"page {n}" for n in range(8)])
    expected = [page.image.tobytes() for page in open_source(data, dpi=50)]
    found: dict[int, bytes] = {}
    with open_document(data, dpi=50) as document:
        threads = [
            threading.Thread(target=lambda n=n: found.update({n: document.load(n).image.tobytes()}))
            for n in document.numbers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [found[n] for n in sorted(found)] == expected


def test_forms_are_drawn_as_filled_in():
    empty, filled = (next(iter(open_source(make_pdf([""], field=field)))) for field in (None, "filled in"))
    assert ink(empty.image) == 0
    assert ink(filled.image) > 0


@pytest.mark.parametrize("rotate", [0, 90])
def test_the_text_layer_is_given_page_by_page(rotate):
    with open_document(make_pdf(["Hello (x) World", "", "Line"], rotate=rotate)) as document:
        assert [document.text(n) for n in document.numbers] == ["Hello (x) World", None, "Line"]


def test_the_text_layer_of_a_locked_pdf_opens_with_it():
    with open_document(make_pdf(["secret"], password="p"), password="p") as document:
        assert document.text(1) == "secret"


def test_pictures_give_no_text_and_joined_documents_that_of_their_parts(page_image):
    with open_document(page_image) as picture:
        assert picture.text(1) is None
    parts = [open_document(make_pdf(["a", "b"])), open_document(page_image), open_document(make_pdf(["c"]))]
    with JoinedDocument(parts, "all") as joined:
        assert [joined.text(n) for n in joined.numbers] == ["a", "b", None, "c"]


def test_signs_of_pdfium_are_no_text(monkeypatch):
    class Layer:
        def get_text_bounded(self):
            return "a hyphen\x02ated\0 word\r\nand an\ufffe\r\nother\r\n"

        def close(self):
            pass

    class Pages(list):
        def close(self):
            pass

    class Drawable:
        def get_textpage(self):
            return Layer()

        def close(self):
            pass

    with open_document(make_pdf(["x"])) as document:
        monkeypatch.setattr(document, "_pdf", Pages([Drawable()]))
        assert document.text(1) == "a hyphen-\nated word\nand an-\nother\n"
