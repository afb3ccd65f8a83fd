"""The server that many write first: FastAPI around one reader, one request at a time. A peer for `serving.py`.

python benchmarks/plain_wrapper.py PORT
"""

from __future__ import annotations

import sys
from threading import Lock
from typing import Any

import uvicorn
from fastapi import FastAPI, UploadFile

from got_ocr2 import OCR

app = FastAPI()
ocr = OCR.from_pretrained()
turn = Lock()


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/read")
def read(file: UploadFile) -> dict[str, Any]:
    data = file.file.read()
    with turn:
        return ocr.read(data).to_dict()


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), log_level="error")
