"""Uploads a document with Mistral's client, reads it and prints its pages: python with_mistralai.py FILE"""

import os
import sys
from pathlib import Path

from mistralai.client import Mistral

file = Path(sys.argv[1])
client = Mistral(
    server_url=os.environ.get("GOT_OCR2_URL", "http://127.0.0.1:8000"),
    api_key=os.environ.get("GOT_OCR2_API_KEY", "none"),
)
try:
    upload = client.files.upload(file={"file_name": file.name, "content": file.read_bytes()}, purpose="ocr")
    answer = client.ocr.process(model="got-ocr2", document={"type": "file", "file_id": upload.id})
except Exception as error:  # the client's own, and those of the HTTP library below it
    sys.exit(str(error))
for page in answer.pages:
    print(page.markdown)
