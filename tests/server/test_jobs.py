"""Jobs: read beside requests, kept on disk, cancelled, fetched."""

from __future__ import annotations

import base64
import io
import json
import time
import zipfile
from dataclasses import replace

import pytest
from live_server import LONG, live, slowed, wait_for

from fake_ocr import fake_ocr
from got_ocr2.server.stores.job_store import JobStore, NewDocument


def ended(http, id):
    found = {}

    def done():
        found.update(http.get(f"/jobs/{id}").json())
        return found["status"] in ("done", "cancelled")

    wait_for(done)
    return found


def test_a_job_of_many_documents(serve, png):
    server = serve(lambda pages: f"width {pages[0].width}")
    files = [("files", (f"../{width}.png", png(width, 30))) for width in (40, 50)]
    files.append(("files", ("no.png", b"this is no picture")))
    begun = server.http.post(
        "/jobs", files=files, data={"to": ["txt", "html"], "options": '{"skip_blank": false}'}
    )
    assert begun.status_code == 202
    job = ended(server.http, begun.json()["id"])
    assert [(one["name"], one["status"], one["pages"]) for one in job["documents"]] == [
        ("40.png", "done", 1),
        ("50.png", "done", 1),
        ("no.png", "failed", 0),
    ]
    assert "no.png is neither a picture" in job["documents"][2]["error"]
    assert (job["total"], job["done"], job["failed"], job["to"]) == (3, 2, 1, ["txt", "html"])
    one = server.http.get(f"/jobs/{job['id']}/documents/2").json()
    assert (one["kind"], one["source"], one["text"]) == ("document", "50.png", "width 50")
    assert server.http.get(f"/jobs/{job['id']}/documents/3").status_code == 409
    assert server.http.get(f"/jobs/{job['id']}/documents/4").status_code == 404
    answer = server.http.get(f"/jobs/{job['id']}/result")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert sorted(archive.namelist()) == [
            f"{n}-{w}.png/{name}"
            for n, w in ((1, 40), (2, 50))
            for name in (f"{w}.html", f"{w}.txt", "result.json")
        ]
        assert archive.read("1-40.png/40.txt").decode().strip() == "width 40"
    assert [one["id"] for one in server.http.get("/jobs").json()["jobs"]] == [job["id"]]
    assert server.http.delete(f"/jobs/{job['id']}").status_code == 204
    assert server.http.get(f"/jobs/{job['id']}").status_code == 404


def test_documents_in_json(serve, png):
    server = serve(lambda pages: f"{pages[0].width}")
    id = server.http.post("/v1/files", files={"file": ("a.png", png(41, 30))}).json()["id"]
    data = base64.b64encode(png(42, 30)).decode()
    body = {
        "documents": [
            {"file_id": id},
            {"data": data, "filename": "b.png"},
            {"url": "http://127.0.0.1:9/c.png"},
        ]
    }
    job = ended(server.http, server.http.post("/jobs", json=body).json()["id"])
    assert [one["status"] for one in job["documents"]] == ["done", "done", "failed"]
    assert "not on the public network" in job["documents"][2]["error"]


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({"documents": []}, 400, "documents"),
        ({"documents": [{}]}, 400, "exactly one of"),
        ({"documents": [{"data": "AAAA"}], "to": ["doc"]}, 400, "got 'doc'"),
        ({"documents": [{"data": "AAAA"}], "options": {"pages": "9-1"}}, 400, "9-1"),
        ({"documents": [{"data": "AAAA"}] * 4}, 400, "max_documents"),
        ({"documents": [{"data": "A" * 400}]}, 503, "jobs_bytes"),
    ],
)
def test_what_is_no_job_is_refused(serve, body, status, message):
    server = serve(max_documents=3, jobs_bytes=100)
    answer = server.http.post("/jobs", json=body)
    assert answer.status_code == status
    assert message in answer.json()["error"]["message"]
    assert server.http.get("/jobs").json() == {"jobs": []}


def test_a_form_with_too_many_files_names_the_limit(serve, png):
    files = [("files", (f"{n}.png", png(40, 30))) for n in range(5)]
    refused = serve(max_documents=3).http.post("/jobs", files=files)
    assert refused.status_code == 400
    assert "more files than the limit of 3 (max_documents)" in refused.json()["error"]["message"]
    refused = serve().http.post("/read", files=[("file", file) for _, file in files[:2]])
    assert (refused.status_code, "limit of 1." in refused.text) == (400, True)


def test_a_job_is_cancelled(serve, png):
    server = serve(lambda pages: LONG, slow=0.005, max_running=2)
    files = [("files", (f"{n}.png", png(40, 30))) for n in range(5)]
    id = server.http.post("/jobs", files=files).json()["id"]
    wait_for(lambda: server.ocr.engine.running)
    assert server.http.get(f"/jobs/{id}/result").status_code == 409
    job = server.http.post(f"/jobs/{id}/cancel").json()
    assert (job["status"], {one["status"] for one in job["documents"]}) == ("cancelled", {"cancelled"})
    wait_for(lambda: not server.ocr.engine.running and not server.state.reads.running)


def test_a_job_survives_a_restart(settings, png):
    def answer(pages):
        return LONG if pages[0].width > 40 else "quick"

    few = replace(settings, max_running=2)
    files = [("files", (f"{n}.png", png(40 + n, 30))) for n in range(3)]
    with live(slowed(fake_ocr(answer, threaded=True), 0.005), few) as server:
        id = server.http.post("/jobs", files=files).json()["id"]
        wait_for(lambda: server.http.get(f"/jobs/{id}").json()["done"] == 1)
    with live(fake_ocr(lambda pages: f"again {pages[0].width}", threaded=True), few) as server:
        job = ended(server.http, id)
        assert [one["status"] for one in job["documents"]] == ["done"] * 3
        texts = [server.http.get(f"/jobs/{id}/documents/{n}").json()["text"] for n in (1, 2, 3)]
        assert texts == ["quick", "again 41", "again 42"]


def test_what_was_running_waits_again_and_passwords_are_forgotten(tmp_path):
    store = JobStore(tmp_path)
    job = store.add(
        "me", [NewDocument("a.pdf", b"1"), NewDocument("b.pdf", b"2")], {"password": "secret"}, []
    )
    taken = store.take()
    assert taken is not None
    assert (taken[1].number, store.documents(job.id)[0].status) == (1, "running")
    store.close()
    again = JobStore(tmp_path)
    assert [one.status for one in again.documents(job.id)] == ["waiting", "waiting"]
    assert again.get(job.id, "you") is None
    for _ in range(2):
        took = again.take()
        assert took is not None
        again.finish(took[1], 1, None)
    assert again.ready(job.id)
    again.end(job.id, "done")
    assert json.dumps(again.get(job.id, "me").options) == "{}"
    assert again.expired(-1) == [job.id]
    assert again.expired(60) == []
    again.close()


def test_jobs_take_turns(tmp_path):
    store = JobStore(tmp_path)
    for name in ("a", "b"):
        store.add("me", [NewDocument(f"{name}{n}", b"1") for n in range(2)], {}, [])
        time.sleep(0.01)
    assert [store.take()[1].name for _ in range(4)] == ["a0", "b0", "a1", "b1"]
    assert store.take() is None
    store.close()
