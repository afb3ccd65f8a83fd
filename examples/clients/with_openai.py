"""Reads a picture with OpenAI's client and prints its text as it is written: python with_openai.py FILE"""

import base64
import mimetypes
import os
import sys
from pathlib import Path

from openai import APIError, OpenAI

file = Path(sys.argv[1])
client = OpenAI(
    base_url=f"{os.environ.get('GOT_OCR2_URL', 'http://127.0.0.1:8000')}/v1",
    api_key=os.environ.get("GOT_OCR2_API_KEY", "none"),
)
kind = mimetypes.guess_type(file.name)[0] or "image/png"
address = f"data:{kind};base64,{base64.b64encode(file.read_bytes()).decode()}"
picture = {"type": "image_url", "image_url": {"url": address}}
# "OCR with format:" asks for formatted text, where the model can write it.
question = {"type": "text", "text": "OCR:"}
try:
    pieces = client.chat.completions.create(
        model="got-ocr2", messages=[{"role": "user", "content": [picture, question]}], stream=True
    )
    for piece in pieces:
        if piece.choices:
            print(piece.choices[0].delta.content or "", end="", flush=True)
    print()
except APIError as error:
    sys.exit(error.message)
