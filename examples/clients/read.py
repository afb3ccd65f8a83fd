"""Reads a document and prints its text as it is written: python read.py FILE"""

import json
import os
import sys
from pathlib import Path

import httpx

URL = os.environ.get("GOT_OCR2_URL", "http://127.0.0.1:8000")
HEADERS = {
    "Authorization": f"Bearer {os.environ.get('GOT_OCR2_API_KEY', 'none')}",
    "Accept": "application/x-ndjson",
}


def read(file: Path) -> None:
    # All options of reading may stand here; docs/reading.md explains each.
    form = {"options": json.dumps({"paragraphs": True})}
    with (
        httpx.Client(base_url=URL, headers=HEADERS, timeout=600, trust_env=False) as client,
        client.stream("POST", "/read", files={"file": (file.name, file.read_bytes())}, data=form) as answer,
    ):
        if answer.is_error:
            answer.read()
            sys.exit(answer.json()["error"]["message"])
        for line in answer.iter_lines():
            event = json.loads(line)
            if event["type"] == "text":
                print(event["text"], end="", flush=True)
            elif event["type"] == "page":
                print()
            elif event["type"] == "error":
                sys.exit(event["error"]["message"])


try:
    read(Path(sys.argv[1]))
except httpx.HTTPError as error:
    sys.exit(f"{URL} does not answer: {error}.")
