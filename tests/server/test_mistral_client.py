"""The official `mistralai` client against a live server."""

from __future__ import annotations

import base64

import httpx
import pytest
from live_server import NO_CERTIFICATES

from fake_ocr import size_of
from lazy_modules import lazy_module

mistralai = lazy_module("mistralai.client")
UNUSED = httpx.AsyncClient(verify=NO_CERTIFICATES)


@pytest.fixture
def client(serve):
    opened = []

    def start(answer=size_of, **options):
        live = serve(answer, **options)
        plain = httpx.Client(verify=NO_CERTIFICATES, follow_redirects=True)
        opened.append(plain)
        return mistralai.Mistral(
            api_key="none-is-needed", server_url=live.url, client=plain, async_client=UNUSED
        )

    yield start
    for plain in opened:
        plain.close()


def address(data):
    return f"data:image/tiff;base64,{base64.b64encode(data).decode()}"


def test_a_document_is_read_page_by_page(client, png):
    data = png(40, 30, 50, 31, 60, 32)
    document = {"type": "document_url", "document_url": address(data)}
    answer = client().ocr.process(model="got-ocr2", document=document, include_image_base64=True)
    assert [(page.index, page.markdown.strip()) for page in answer.pages] == [
        (0, "40x30"),
        (1, "50x31"),
        (2, "60x32"),
    ]
    assert [(page.dimensions.width, page.dimensions.height) for page in answer.pages] == [
        (40, 30),
        (50, 31),
        (60, 32),
    ]
    assert all(page.images == [] for page in answer.pages)
    assert (answer.usage_info.pages_processed, answer.usage_info.doc_size_bytes) == (3, len(data))
    assert answer.model == "got-ocr2"


@pytest.mark.parametrize("pages", [[0, 2], "0,2", "0-0, 2"])
def test_pages_are_counted_from_0(client, png, pages):
    document = {"type": "image_url", "image_url": address(png(40, 30, 50, 31, 60, 32))}
    answer = client().ocr.process(model="got-ocr2", document=document, pages=pages)
    assert [page.index for page in answer.pages] == [0, 2]


def test_an_uploaded_file_with_confidences_of_words(client, png):
    made = client(lambda pages: "two words")
    kept = made.files.upload(file={"file_name": "a.png", "content": png(40, 30)}, purpose="ocr")
    assert made.files.retrieve(file_id=kept.id).filename == "a.png"
    answer = made.ocr.process(
        model="got-ocr2", document={"type": "file", "file_id": kept.id}, confidence_scores_granularity="word"
    )
    scores = answer.pages[0].confidence_scores
    assert [(one.text, one.start_index) for one in scores.word_confidence_scores] == [
        ("two", 0),
        ("words", 4),
    ]
    assert 0 < scores.minimum_page_confidence_score < scores.average_page_confidence_score < 1
    assert made.files.delete(file_id=kept.id).deleted


@pytest.mark.parametrize(
    ("fields", "status", "message"),
    [
        ({"document": {"type": "file", "file_id": "file-x"}}, 404, "no file"),
        ({"document": {"type": "document_url", "document_url": "http://localhost/x"}}, 422, "public network"),
        ({"pages": "a"}, 400, "from 0, got 'a'"),
        ({"pages": [7]}, 400, "8"),
    ],
)
def test_errors(client, png, fields, status, message):
    document = {"type": "image_url", "image_url": address(png(40, 30))}
    with pytest.raises(mistralai.errors.MistralError, match=message) as caught:
        client().ocr.process(**{"model": "got-ocr2", "document": document, **fields})
    assert caught.value.status_code == status


def test_one_failed_page_does_not_hide_the_others(client, png):
    def answer(pages):
        return ValueError("broken") if pages[0].width == 50 else size_of(pages)

    document = {"type": "image_url", "image_url": address(png(40, 30, 50, 31))}
    found = client(answer).ocr.process(model="got-ocr2", document=document)
    assert [page.markdown.strip() for page in found.pages] == ["40x30", ""]
    assert found.usage_info.pages_processed == 1
