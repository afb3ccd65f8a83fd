"""The clients of examples/clients, and those of docs/clients.md, run against a server of their own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_server import live

from got_ocr2.ocr import OCR
from got_ocr2.server.auth import Keys, hash_of
from got_ocr2.server.settings import Settings

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "examples/clients"
PICTURE = ROOT / "examples/brochure_heading.png"
TEXT = "Composition Without Compromise"
KEY = "a-key-for-this-test"
RUN = {"sh": ["sh"], "py": [sys.executable], "mjs": ["node"]}
NEEDS = {"read.py": "httpx", "with_openai.py": "openai", "with_mistralai.py": "mistralai"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of clients of a server with the embedded model."""
    ocr = OCR.from_pretrained(threaded=True)
    with live(ocr, Settings(data=tmp_path_factory.mktemp("data")), Keys({"ann": hash_of(KEY)})) as running:
        yield {**os.environ, "GOT_OCR2_URL": running.url, "GOT_OCR2_API_KEY": KEY}


# A client in Python with one file after another: most of its time goes into imports.
ONE_AFTER_ANOTHER = """
import runpy, sys
client, *files = sys.argv[1:]
for file in files:
    sys.argv = [client, file]
    try:
        runpy.run_path(client, run_name="__main__")
    except SystemExit as end:
        print("ended by", end.code)
"""


def run(name: str, picture: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Runs a client; skips where what it needs is not there."""
    return process([*command_of(name), str(CLIENTS / name), str(picture)], environment)


def command_of(name: str) -> list[str]:
    command = RUN[name.rpartition(".")[2]]
    if name in NEEDS:
        pytest.importorskip(NEEDS[name])
    program = "curl" if name == "read.sh" else command[0]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    return command


def process(command: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


REFUSAL = "is neither a picture in a known format nor a PDF."


@pytest.mark.parametrize("name", ["read.py", "with_openai.py", "with_mistralai.py"])
def test_a_client_in_python_reads_a_picture_and_says_what_is_wrong_with_another_file(server, name):
    words = [str(CLIENTS / name), str(PICTURE), str(CLIENTS / "README.md")]
    done = process([*command_of(name), "-c", ONE_AFTER_ANOTHER, *words], server)
    assert (done.returncode, done.stderr) == (0, "")
    read, _, refused = done.stdout.partition("\nended by ")
    assert read.strip() == TEXT
    assert REFUSAL in refused


@pytest.mark.parametrize("name", ["read.sh", "read.mjs"])
def test_a_client_reads_a_picture_and_says_what_is_wrong_with_another_file(server, name):
    done = run(name, PICTURE, server)
    assert (done.returncode, done.stdout.strip()) == (0, TEXT), done.stderr
    refused = run(name, CLIENTS / "README.md", server)
    assert refused.returncode != 0
    assert REFUSAL in refused.stdout + refused.stderr


@pytest.mark.parametrize("name", ["read.sh", "read.py", "read.mjs"])
def test_a_client_without_a_server_fails_without_a_traceback(name):
    done = run(name, PICTURE, {**os.environ, "GOT_OCR2_URL": "http://127.0.0.1:9", "GOT_OCR2_API_KEY": KEY})
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_every_client_is_listed_and_tested():
    names = sorted(path.name for path in CLIENTS.iterdir() if path.suffix != ".md")
    assert (
        sorted(re.findall(r"^\| `(\S+)`", (CLIENTS / "README.md").read_text("utf-8"), re.MULTILINE)) == names
    )
    assert {name.rpartition(".")[2] for name in names} == RUN.keys()


@pytest.mark.parametrize(
    ("package", "last"),
    [
        (
            "langchain_core",
            "pages = GotOcr2Loader(FILE, URL, KEY, lines=True).load(); text = pages[0].page_content",
        ),
        (
            "llama_index.core",
            "pages = GotOcr2Reader(URL, KEY, lines=True).load_data(FILE); text = pages[0].text",
        ),
    ],
)
def test_the_loaders_of_the_documentation_read(server, package, last):
    pytest.importorskip(package)
    page = (ROOT / "docs/clients.md").read_text("utf-8")
    (code,) = [code for code in re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S) if package in code]
    names = f"\nFILE, URL, KEY = {str(PICTURE)!r}, {server['GOT_OCR2_URL']!r}, {KEY!r}\n"
    end = "\nprint(text, pages[0].metadata['page'])\n"
    command = [sys.executable, "-W", "ignore", "-c", code + names + last + end]
    done = subprocess.run(command, env=server, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"{TEXT} 1", done.stderr
