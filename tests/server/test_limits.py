"""Full, too large, too many, too slow, gone, ending: what a server does then."""

from __future__ import annotations

import concurrent.futures
import json
import socket
import threading
import time

import pytest
from live_server import LONG, wait_for

from got_ocr2.errors import FileAccessError, InvalidOptionError
from got_ocr2.server.auth import Keys, Rate, hash_of, new_key
from got_ocr2.server.middleware import address_of
from got_ocr2.server.settings import Settings

NDJSON = {"Accept": "application/x-ndjson"}


def read(server, png, **more):
    return server.http.post("/read", files={"file": ("a.png", png(40, 30))}, **more)


def idle(server):
    return not (server.state.reads.running or server.state.reads.waiting or server.ocr.engine.running)


def test_a_full_queue_refuses_and_loses_nothing(serve, png):
    server = serve(lambda pages: LONG[:60], slow=0.002, max_running=2, max_queue=3)
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: read(server, png), range(20)))
    statuses = [answer.status_code for answer in answers]
    assert set(statuses) == {200, 503}
    assert statuses.count(200) >= 5
    for answer in answers:
        if answer.status_code == 200:
            assert answer.json()["text"] == LONG[:60]
        else:
            assert int(answer.headers["retry-after"]) >= 1
            assert "max_queue" in answer.json()["error"]["message"]
    wait_for(lambda: idle(server))
    assert 'got_ocr2_refused_total{why="queue"}' in server.http.get("/metrics").text


def test_readiness_tells_of_a_full_queue(serve, png):
    server = serve(lambda pages: LONG[:150], slow=0.004, max_running=1, max_queue=1)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(read, server, png) for _ in range(2)]
        wait_for(lambda: server.state.reads.full)
        assert server.http.get("/ready").status_code == 503
        assert server.http.get("/health").status_code == 200
        assert all(one.result().status_code == 200 for one in waiting)
    assert server.http.get("/ready").status_code == 200


def test_a_short_document_does_not_wait_for_all_of_a_long_one(serve, png):
    server = serve(lambda pages: LONG[:20], slow=0.002, max_running=1, pages_together=1)
    ends = {}

    def go(name, data):
        server.http.post("/read", files={"file": (name, data)})
        ends[name] = time.monotonic()

    long = threading.Thread(target=go, args=("long", png(*[40, 30] * 12)))
    long.start()
    wait_for(lambda: server.state.reads.running)
    short = threading.Thread(target=go, args=("short", png(40, 30)))
    short.start()
    short.join()
    long.join()
    assert ends["short"] < ends["long"]


def test_who_has_been_read_is_answered_before_others_are_read(serve, png):
    server = serve(lambda pages: LONG[:60], slow=0.005, max_running=1)
    ends = []
    threads = [threading.Thread(target=lambda n=n: (read(server, png), ends.append(n))) for n in range(4)]
    for number, thread in enumerate(threads):
        thread.start()
        wait_for(lambda n=number: server.state.reads.running + server.state.reads.waiting > n)
    for thread in threads:
        thread.join()
    assert ends == [0, 1, 2, 3]


def test_bytes_pixels_and_pages(serve, png):
    server = serve(max_bytes=20_000, max_pixels=5000, max_pages=2, files_bytes=30_000)
    large = server.http.post("/v1/files", files={"file": ("a.png", b"x" * 20_001)})
    assert (large.status_code, "max_bytes" in large.text) == (413, True)
    for data in (png(100, 51), png(*[40, 30] * 3)):
        answer = server.http.post("/read", files={"file": ("a.tif", data)})
        assert answer.status_code == 422
        assert "more than the limit" in answer.json()["error"]["message"]
    assert server.http.post("/v1/files", files={"file": ("a", b"x" * 20_000)}).status_code == 200
    full = server.http.post("/v1/files", files={"file": ("a", b"x" * 20_000)})
    assert (full.status_code, "files_bytes" in full.text) == (503, True)
    assert int(full.headers["retry-after"]) > 3000
    assert server.http.post("/v1/files", files={"file": ("a", b"")}).status_code == 422


@pytest.mark.parametrize("announced", [True, False])
def test_a_body_is_refused_before_it_is_taken_in(serve, announced):
    server = serve(max_bytes=10_000)

    def body():
        for _ in range(40):
            yield b"x" * 100_000

    content = b"".join(body()) if announced else body()
    answer = server.http.post("/read", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "max_bytes" in answer.json()["error"]["message"]
    small = serve(max_bytes_in_flight=1000)
    assert small.http.post("/read", content=b"x" * 2000).status_code == 503


def test_a_request_that_takes_too_long_is_ended(serve, png):
    server = serve(lambda pages: LONG, slow=0.01, max_seconds=0.3)
    answer = read(server, png)
    assert answer.status_code == 504
    assert "max_seconds" in answer.json()["error"]["message"]
    told = [json.loads(line) for line in read(server, png, headers=NDJSON).text.splitlines()]
    assert told[-1]["type"] == "error"
    wait_for(lambda: idle(server))


def test_uploads_expire(serve, png):
    server = serve(file_seconds=0.01)
    id = server.http.post("/v1/files", files={"file": ("a.png", png(4, 3))}).json()["id"]
    folder = server.state.uploads._folder
    wait_for(lambda: server.http.get(f"/v1/files/{id}").status_code == 404)
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o077 == 0


def sent(server, body, *, accept, announced=None):
    """The socket of a client that has sent a form with one TIFF, or as much of it as `body` is."""
    host, port = server.url.removeprefix("http://").split(":")
    head = (
        f"POST /read HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: {accept}\r\n"
        f"Content-Type: multipart/form-data; boundary=xyz\r\nContent-Length: {announced or len(body)}\r\n\r\n"
    )
    client = socket.create_connection((host, int(port)))
    client.sendall(head.encode() + body)
    return client


def form(data):
    part = b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.tif"\r\n\r\n%s\r\n--xyz--\r\n'
    return part % data


@pytest.mark.parametrize("accept", ["application/json", NDJSON["Accept"]])
def test_clients_that_go_away_free_their_pages(serve, png, accept):
    server = serve(lambda pages: LONG, slow=0.01, max_running=4)
    body = form(png(*[40, 30] * 4))
    clients = [sent(server, body, accept=accept) for _ in range(12)]
    wait_for(lambda: server.ocr.engine.running >= 4 and server.state.reads.waiting >= 6)
    for client in clients:
        client.close()
    wait_for(lambda: idle(server), seconds=60)
    assert 'status="499"' in server.http.get("/metrics").text


@pytest.mark.parametrize("accept", ["application/json", NDJSON["Accept"]])
def test_clients_that_go_away_leave_the_queue_while_others_are_read(serve, png, accept):
    server = serve(lambda pages: LONG, slow=0.01, max_running=1)
    reads, body = server.state.reads, form(png(40, 30))
    with sent(server, body, accept=accept):
        wait_for(lambda: server.ocr.engine.running == 1)
        clients = [sent(server, body, accept=accept) for _ in range(6)]
        wait_for(lambda: reads.waiting == 6)
        for client in clients:
            client.close()
        wait_for(lambda: reads.waiting == 0, seconds=60)
        assert (reads.running, server.ocr.engine.running) == (1, 1)


def test_a_client_that_goes_away_while_it_sends_is_no_failure(serve, png, caplog):
    server = serve()
    body = form(png(40, 30))
    sent(server, body[:50], accept="*/*", announced=len(body)).close()
    wait_for(lambda: 'path="/read",status="499"' in server.http.get("/metrics").text)
    assert "ClientDisconnect" not in caplog.text


def test_running_requests_end_before_the_server_does(serve, png):
    server = serve(lambda pages: LONG[:120], slow=0.003)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(read, server, png)
        wait_for(lambda: server.ocr.engine.running)
        server.state.reads.draining = True
        refused = read(server, png)
        assert (refused.status_code, "about to end" in refused.text) == (503, True)
        assert server.http.get("/ready").status_code == 503
        server.server.should_exit = True
        assert running.result().json()["text"] == LONG[:120]


def test_keys(serve, png, tmp_path):
    mine, yours = new_key(), new_key()
    file = tmp_path / "keys"
    file.write_text(f"# people\nme {hash_of(mine)}\nyou {hash_of(yours)}  # a friend\n")
    server = serve(keys=Keys.load(file), requests_per_minute=3)
    http = server.http
    for path in ("/health", "/ready", "/", "/openapi.json", "/static/index.html"):
        assert http.get(path).status_code == 200
    for headers in (
        {},
        {"X-Api-Key": "wrong"},
        {"Authorization": f"Basic {mine}"},
        {"X-Api-Key": hash_of(mine)},
    ):
        answer = http.get("/v1/models", headers=headers)
        assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert http.get("/metrics").status_code == 401
    me, you = {"Authorization": f"Bearer {mine}"}, {"X-Api-Key": yours}
    id = http.post("/v1/files", files={"file": ("a.png", png(40, 30))}, headers=me).json()["id"]
    assert http.get(f"/v1/files/{id}", headers=me).status_code == 200
    assert http.get(f"/v1/files/{id}", headers=you).status_code == 404
    for _ in range(2):
        assert http.post("/read", json={"file_id": id}, headers=me).status_code == 200
    limited = http.post("/read", json={"file_id": id}, headers=me)
    assert (limited.status_code, limited.json()["error"]["type"]) == (429, "rate_limit_error")
    assert 1 <= int(limited.headers["retry-after"]) <= 21
    assert http.post("/read", json={"file_id": id}, headers=you).status_code == 404


def test_files_of_keys(tmp_path):
    file = tmp_path / "keys"
    for text, message in {
        "me": "Line 1 .* is not a name and the hash",
        f"me {'0' * 64}\nme {'1' * 64}": "the name me comes twice",
    }.items():
        file.write_text(text)
        with pytest.raises(InvalidOptionError, match=message):
            Keys.load(file)
    with pytest.raises(InvalidOptionError, match="has 5 characters; it needs at least 16"):
        Keys.load(plain=["short"])
    with pytest.raises(FileAccessError, match="cannot be read"):
        Keys.load(tmp_path / "none")
    assert Keys.load(plain=["a-key-that-is-long-enough"]).name("a-key-that-is-long-enough") == "key1"


def test_a_rate_fills_up_again(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    rate = Rate(60)
    assert [rate.wait("a") for _ in range(60)] == [0] * 60
    assert rate.wait("a") == pytest.approx(1)
    assert rate.wait("b") == 0
    now[0] = 2.5
    assert [bool(rate.wait("a")) for _ in range(3)] == [False, False, True]


def test_a_rate_forgets_who_has_not_asked_for_a_minute(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    rate = Rate(2)
    for number in range(1000):
        rate.wait(f"192.0.2.{number}")
    now[0] = 61
    rate.wait("one")
    assert list(rate._left) == ["one"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:1"}, 200),
        ({"Host": "[::1]:80"}, 200),
        ({"Host": "evil.example"}, 403),
        ({"Host": "localhost.evil.example:80"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "127.0.0.1:7", "Origin": "http://127.0.0.1:7"}, 200),
    ],
)
def test_without_keys_pages_from_elsewhere_cannot_use_it(serve, headers, status):
    assert serve().http.get("/v1/models", headers=headers).status_code == status


def test_open_to_anybody_each_address_has_its_rate(serve, png):
    server = serve(open=True, requests_per_minute=2)
    assert [read(server, png).status_code for _ in range(2)] == [200, 200]
    limited = read(server, png)
    assert limited.status_code == 429
    assert "This address has had its 2 requests of a minute (requests_per_minute)" in limited.text
    assert 1 <= int(limited.headers["retry-after"]) <= 31
    assert server.http.get("/health").status_code == 200
    assert [read(serve(requests_per_minute=1), png).status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_addresses_by_which_requests_are_counted(host, address):
    assert address_of({"type": "http", "client": (host, 1)}) == address


def test_answers_may_not_be_framed_and_run_nothing(serve):
    http = serve().http
    for path in ("/health", "/openapi.json", "/nothing", "/static/main.js"):
        headers = http.get(path).headers
        assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
    page = http.get("/").headers
    policy = page["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self';" in policy
    assert (page["x-frame-options"], page["cache-control"]) == ("DENY", "no-cache")


def test_open_to_anybody_and_to_other_origins(serve):
    assert serve(open=True).http.get("/v1/models", headers={"Host": "evil.example"}).status_code == 200
    closed = serve().http.options("/read", headers={"Access-Control-Request-Method": "POST"})
    assert "access-control-allow-origin" not in closed.headers
    origin = {"Origin": "https://friend.example", "Access-Control-Request-Method": "POST"}
    asked = serve(cors=("https://friend.example",)).http.options("/read", headers=origin)
    assert asked.headers["access-control-allow-origin"] == "https://friend.example"


def test_limits_are_above_0():
    with pytest.raises(InvalidOptionError, match="max_queue must be above 0, got 0"):
        Settings(max_queue=0)


def test_the_log_is_json_with_request_ids(serve, png, caplog):
    server = serve(lambda pages: RuntimeError("at /secret"))
    with caplog.at_level("INFO", "got_ocr2.server"):
        read(server, png, headers={"X-Request-Id": "mine-1"})
        server.http.get("/no/such/path?key=secret", headers={"X-Request-Id": "bad id"})
        wait_for(lambda: sum("request" in one for one in caplog.messages) >= 2)
    lines = [json.loads(one) for one in caplog.messages]
    requests = [one for one in lines if one["event"] == "request"]
    assert (requests[0]["request_id"], requests[0]["status"], requests[0]["path"]) == ("mine-1", 500, "/read")
    assert (requests[1]["status"], requests[1]["path"]) == (404, "other")
    assert requests[1]["request_id"] != "bad id"
    assert "secret" not in caplog.text
    assert "Traceback" not in caplog.text
