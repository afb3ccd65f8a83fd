"""`got-ocr2 serve`: what it refuses, the keys it makes, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest

from got_ocr2.cli.options.serving import LIMITS, LimitOptions, NetworkOptions
from got_ocr2.cli.serve import _settings, serve
from got_ocr2.server.auth import Keys, hash_of
from got_ocr2.server.settings import Settings

pytest.importorskip("fastapi", reason="the extra serve is not installed")


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in ("API_KEYS", "API_KEYS_FILE", "HOST", "PORT", "DATA"):
        monkeypatch.delenv(f"GOT_OCR2_{name}", raising=False)


def test_a_new_key_and_its_line(cli, tmp_path):
    ran = cli("serve", "--new-key", "alice")
    key, line = ran.out.strip(), ran.err.strip().splitlines()[-1]
    assert line == f"alice {hash_of(key)}"
    (tmp_path / "keys").write_text(line)
    assert Keys.load(tmp_path / "keys").name(key) == "alice"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--host", "0.0.0.0"], 1, "--host 0.0.0.0 can be reached from other machines; give --api-keys"),
        (["--host", "example.org"], 1, "can be reached from other machines"),
        (["--api-keys", "nowhere"], 5, "The API keys in nowhere cannot be read"),
        (["--max-queue", "0"], 1, "whole number >= 1, got '0'"),
        (["--new-key", "two words"], 1, "'two words'"),
    ],
)
def test_what_is_refused(cli, arguments, code, message):
    ran = cli("serve", *arguments)
    assert ran.code == code
    assert message in ran.err
    assert cli.opened == []


def test_a_port_that_is_taken(cli, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = cli("serve", "--port", taken.getsockname()[1], "--data", tmp_path)
    assert ran.code == 5
    assert "cannot listen on 127.0.0.1" in ran.err.strip().splitlines()[-1]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_embedded_model_answers_and_sigterm_ends_with_0(tmp_path):
    import httpx

    command = [
        sys.executable,
        "-m",
        "got_ocr2",
        "serve",
        "--port",
        "0",
        "--data",
        str(tmp_path),
        "--kv-memory",
        "64MB",
    ]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            address = json.loads(server.stderr.readline())["address"]
            assert httpx.get(f"{address}/ready", timeout=30, trust_env=False).json()["reads"] == "lines"
        finally:
            server.send_signal(signal.SIGTERM)
        assert server.wait(30) == 0
        assert json.loads(server.stderr.read().splitlines()[-1])["event"] == "ended"


def test_every_limit_is_an_option_that_tells_its_default():
    table = (Path(__file__).parents[2] / "docs/serving.md").read_text("utf-8")
    hints = get_type_hints(serve, include_extras=True)
    limits = {one.name: one.default for one in fields(Settings) if one.type in ("int", "float")}
    assert len(limits) >= 18
    for name, default in limits.items():
        option = hints[name].__metadata__[0]
        assert option.rich_help_panel == LIMITS
        assert option.parser(option.help.rpartition("; ")[2].rstrip(".")) == default, name
        assert f"`{name}`" in table
    given = dict.fromkeys(limits, 7)
    assert _settings(NetworkOptions(), LimitOptions(**given)) == Settings(**given)
