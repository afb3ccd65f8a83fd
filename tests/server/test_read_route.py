"""`/read`, `/layout`, `/render`, uploads and their pages."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest
from PIL import Image

from fake_ocr import size_of
from got_ocr2.results import DocumentResult

NDJSON = {"Accept": "application/x-ndjson"}


def events(answer):
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def upload(server, data, name="a.tif"):
    return server.http.post("/v1/files", files={"file": (name, data)}).json()["id"]


def test_one_result(serve, png):
    server = serve()
    answer = server.http.post("/read", files={"file": ("sub/a b.tif", png(40, 30, 50, 31))})
    result = DocumentResult.from_dict(answer.json())
    assert (result.source, result.text) == ("a b.tif", "40x30\n\n50x31")
    assert [page.page_numbers for page in result.pages] == [(1,), (2,)]
    assert len(answer.headers["x-request-id"]) == 16


def test_events(serve, png):
    server = serve()
    id = upload(server, png(40, 30, 50, 31, 60, 32))
    told = events(
        server.http.post("/read", json={"file_id": id, "options": {"pages": "3,1"}}, headers=NDJSON)
    )
    assert told[0] == {"type": "opened", "pages": 2, "numbers": [3, 1]}
    text = {3: "", 1: ""}
    for one in told:
        if one["type"] == "text":
            text[one["page"]] += one["text"]
    assert text == {3: "60x32", 1: "40x30"}
    pages = [one for one in told if one["type"] == "page"]
    assert [(one["page"], one["result"]["text"]) for one in pages] == [(3, "60x32"), (1, "40x30")]
    assert told[-1]["type"] == "document"
    assert [page["page_numbers"] for page in told[-1]["result"]["pages"]] == [[3], [1]]


def test_several_pages_as_one_text(serve, png):
    server = serve()
    body = {"data": base64.b64encode(png(40, 30, 50, 31)).decode(), "options": {"multi_page": True}}
    told = events(server.http.post("/read", json=body, headers=NDJSON))
    assert told[-1]["result"]["text"] == "40x30 50x31"


def test_files_of_several_formats(serve, png):
    server = serve(lambda pages: "A sum & a name")
    one = server.http.post("/read", files={"file": ("a.png", png(40, 30))}, data={"to": "html"})
    assert one.headers["content-type"].startswith("text/html")
    assert "a.html" in one.headers["content-disposition"]
    assert "A sum &amp; a name" in one.text
    both = server.http.post("/read", files={"file": ("a.png", png(40, 30))}, data={"to": ["md,txt"]})
    with zipfile.ZipFile(io.BytesIO(both.content)) as archive:
        assert sorted(archive.namelist()) == ["a.md", "a.txt"]


BAD_REQUESTS = (
    ({}, 400, "exactly one of file_id, url and data"),
    ({"data": "AAAA", "url": "http://example.org"}, 400, "exactly one of"),
    ({"data": "a picture!"}, 422, "not valid base64"),
    ({"data": ""}, 422, "is empty"),
    ({"data": "AAAA", "options": {"pagse": "1"}}, 400, "options.pagse: Extra inputs"),
    ({"data": "AAAA", "options": {"dpi": "200"}}, 400, "options.dpi"),
    (
        {"data": "AAAA", "options": {"max_new_tokens": 9000}},
        400,
        "more than the limit of 8,192 (max_tokens)",
    ),
    ({"data": "AAAA", "options": {"recursive": True}}, 400, "recursive"),
    ({"data": "AAAA", "to": ["exe"]}, 400, "got 'exe'"),
    ({"url": "/etc/passwd"}, 422, "begins with http"),
    ({"file_id": "file-1"}, 404, "There is no file 'file-1'"),
    ("[", 400, "body is not JSON"),
)


@pytest.mark.parametrize("accept", ["*/*", NDJSON["Accept"]])
def test_bad_requests_are_one_sentence(serve, accept):
    server = serve()
    for body, status, message in BAD_REQUESTS:
        sent = {"content": body} if isinstance(body, str) else {"json": body}
        answer = server.http.post("/read", headers={"Accept": accept}, **sent)
        assert answer.status_code == status, body
        error = answer.json()["error"]
        assert message in error["message"]
        assert error["message"].endswith(".")


def test_a_document_none_of_whose_pages_can_be_read_is_an_error(serve, png):
    server = serve(lambda pages: ValueError("at /home/me") if pages[0].width == 50 else size_of(pages))
    answer = server.http.post("/read", files={"file": ("a.png", png(50, 30))})
    assert answer.status_code == 500
    assert "/home" not in answer.text
    partly = server.http.post("/read", files={"file": ("a.tif", png(50, 30, 40, 30))})
    assert (partly.status_code, partly.json()["status"]) == (200, "failed")
    told = events(server.http.post("/read", files={"file": ("a.png", png(50, 30))}, headers=NDJSON))
    assert told[-1]["result"]["status"] == "failed"


def test_what_the_model_cannot_be_asked_is_said_at_once(serve, png):
    server = serve(reads="lines")
    answer = server.http.post(
        "/read", files={"file": ("a.png", png(50, 30))}, data={"options": '{"format": true}'}
    )
    assert answer.status_code == 400
    assert "a reader of lines writes plain text only" in answer.json()["error"]["message"]


def test_pages_of_a_file_as_pictures(serve, png):
    server = serve()
    id = upload(server, png(40, 30, 400, 200))
    assert server.http.get(f"/files/{id}/pages").json() == {
        "pages": [{"page": 1, "width": 40, "height": 30}, {"page": 2, "width": 400, "height": 200}]
    }
    for query, size in {"": (400, 200), "?width=100": (100, 50), "?width=4000": (400, 200)}.items():
        answer = server.http.get(f"/files/{id}/pages/2{query}")
        assert answer.headers["content-type"] == "image/png"
        assert Image.open(io.BytesIO(answer.content)).size == size
    assert server.http.get(f"/files/{id}/pages/3").status_code == 404
    assert server.http.get(f"/files/{id}/pages/2?width=0").status_code == 400
    assert server.http.get("/files/file-0/pages").status_code == 404


def test_lines_of_a_page(serve):
    page = Image.new("L", (400, 200), 255)
    page.paste(0, (50, 60, 350, 80))
    out = io.BytesIO()
    page.save(out, "PNG")
    server = serve()
    id = upload(server, out.getvalue(), "a.png")
    found = server.http.post("/layout", json={"file_id": id, "page": 1}).json()
    assert (found["width"], found["height"]) == (400, 200)
    assert server.http.post("/layout", json={"file_id": id, "page": 2}).status_code == 404
    assert server.http.post("/layout", json={"file_id": id, "turn": 45}).status_code == 400


def test_text_is_rendered(serve):
    server = serve()
    html = server.http.post("/render", json={"text": "a\n\nb", "to": "html"})
    assert html.headers["content-type"].startswith("text/html")
    broken = server.http.post("/render", json={"text": "\\begin{tabular}{c} a", "to": "md", "kind": "page"})
    assert json.loads(broken.headers["x-problems"])
    asked = {"Accept": "application/json"}
    answer = server.http.post("/render", json={"text": "a", "to": "docx"}, headers=asked).json()
    assert base64.b64decode(answer["data"])[:2] == b"PK"
    for body, message in {
        ("a", "exe"): "got 'exe'",
        ("a", "hocr"): "needs the places of words",
        ("a", "midi"): "cannot be written as midi",
    }.items():
        answer = server.http.post("/render", json={"text": body[0], "to": body[1]})
        assert answer.status_code == 400
        assert message in answer.json()["error"]["message"]


def test_the_page_and_its_files(serve):
    server = serve()
    assert "<title>" in server.http.get("/").text
    assert server.http.get("/static/index.html").status_code == 200
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/nothing"):
        assert server.http.get(path).status_code == 404
    assert server.http.get("/nothing").json()["error"]["message"] == "There is nothing at this address."
    assert server.http.put("/read").status_code == 405


def test_health_readiness_and_metrics(serve, png):
    server = serve()
    assert server.http.get("/health").json()["status"] == "ok"
    assert server.http.get("/ready").json()["reads"] == "pages"
    server.http.post("/read", files={"file": ("a.png", png(50, 30))})
    numbers = server.http.get("/metrics").text
    assert 'got_ocr2_pages_total{status="complete"} 1.0' in numbers
    assert 'got_ocr2_requests_total{method="POST",path="/read",status="200"} 1.0' in numbers
    assert "got_ocr2_first_token_seconds_count 1.0" in numbers
    assert "got_ocr2_waiting 0.0" in numbers
