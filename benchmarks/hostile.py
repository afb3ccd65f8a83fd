"""For `hostile_inputs.py`: sound inputs of every kind, what is done to them, and what the product must do with them.

Input `number` of a seed is always the same: everything is drawn from `random.Random(f"{seed}:{number}")`.
"""

from __future__ import annotations

import base64
import io
import json
import random
import re
import shutil
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

from got_ocr2.documents import Limits, open_document
from got_ocr2.errors import GotOcr2Error

LIMITS = Limits(max_pixels=4_000_000, max_pages=40)
NUMBERS = (0, 1, 2, 3, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
WORDS = ("0", "-1", "1e999", "-1e999", "NaN", "null", "true", '""', '"x"', "[]", "{}", "[[1]]", "4294967296",
         "1.5", "9" * 400, '{"a": 1}', '"\\ud800"', "[" * 3000)  # fmt: skip
TEXTS = (
    "# Title\n\nA line with \\( x^2 + \\frac{1}{2} \\) and **bold**.\n\n- one\n- two\n\n1. first\n\n> quoted\n",
    "\\begin{tabular}{|l|c|r|}\n\\hline a & \\multicolumn{2}{c|}{b} \\\\\n\\hline \\multirow{2}{*}{c} & d & e \\\\\n"
    "& f & g \\\\\n\\hline\n\\end{tabular}\n",
    "\\title{\nA title\n}\n\\author{\nSomebody\n}\n\\section*{Heading}\n\\[ \\sum_{i=1}^{n} \\begin{array}{ll} a & b "
    "\\\\ c & d \\end{array} \\tag{3} \\]\n",
    "<table><tr><td rowspan=2>a</td><td>b</td></tr><tr><td>c</td></tr></table>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
    '{"title": "Sales", "source": "x", "x_title": "year", "y_title": "t", "values": {"a": {"2001": "3", "2002": "4"}}}',
    "<smiles>CC(=O)Oc1ccccc1C(=O)O</smiles>",
    "\\begin{tikzpicture}\n\\draw (0,0) -- (2,1) node[above] {$A$} circle (0.5);\n\\end{tikzpicture}\n",
    "**kern\n*clefG2\n*M4/4\n4c\n4d\n=\n2e\n*-\n",
)
FORMATS = {
    "page": ("md", "latex", "txt", "json", "csv", "html", "docx"), "chart": ("json", "csv"), "molecule": ("smiles",),
    "geometry": ("tikz", "svg"), "music": ("kern",),
}  # fmt: skip


def page() -> Image.Image:
    image = Image.new("RGB", (220, 64), "white")
    ImageDraw.Draw(image).text((8, 14), "General OCR, 1 page", fill=(20, 10, 60), font_size=18)
    return image


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    if more := options.get("append_images"):  # writing leaves settings in a picture
        options["append_images"] = [other.copy() for other in more]
    image.copy().save(out, format, **options)
    return out.getvalue()


@cache
def pictures() -> dict[str, tuple[bytes, ...]]:
    """Sound files of each kind."""
    color, grey, bits = page(), page().convert("L"), page().convert("1")
    small = [image.resize((60, 20)) for image in (color, color.rotate(180), color)]
    exif = Image.Exif()
    exif[274] = 6
    several = {"save_all": True, "append_images": small[1:]}
    long_grey = grey.point(lambda v: v * 257, "I").convert("I;16")
    made: dict[str, list[bytes]] = {
        "png": [_saved(color, "PNG"), _saved(color.convert("P"), "PNG"), _saved(color.convert("RGBA"), "PNG"),
                _saved(long_grey, "PNG"), _saved(bits, "PNG"), _saved(small[0], "PNG", **several)],
        "jpeg": [_saved(color, "JPEG", exif=exif), _saved(grey, "JPEG", progressive=True),
                 _saved(color.convert("CMYK"), "JPEG"), _saved(small[0], "MPO", **several)],
        "tiff": [_saved(image, "TIFF", compression=name) for image, name in (
                    (color, "raw"), (color, "tiff_lzw"), (color, "jpeg"), (grey, "tiff_adobe_deflate"),
                    (grey, "packbits"), (bits, "group3"), (bits, "group4"), (long_grey, "raw"),
                    (long_grey, "tiff_lzw"))]
                + [_saved(small[0], "TIFF", **several), _saved(color, "TIFF", big_tiff=True)],
        "gif": [_saved(color, "GIF"), _saved(small[0], "GIF", **several)],
        "webp": [_saved(color, "WEBP"), _saved(color, "WEBP", lossless=True), _saved(small[0], "WEBP", **several)],
        "avif": [_saved(color, "AVIF"), _saved(small[0], "AVIF", **several)],
        "jpeg2000": [_saved(color, "JPEG2000"), _saved(grey, "JPEG2000", no_jp2=True)],
        "bmp": [_saved(color, "BMP"), _saved(bits, "BMP"), _saved(color.convert("P"), "BMP"), _saved(color, "DIB")],
        "others": [_saved(color, "PPM"), _saved(color, "TGA"), _saved(color.convert("P"), "PCX"), _saved(color, "ICO")],
        "pdf": _pdfs(),
    }  # fmt: skip
    return {kind: tuple(files) for kind, files in made.items()}


def _pdfs() -> list[bytes]:
    import pikepdf

    made: list[bytes] = []
    for packed in (False, True):
        with pikepdf.new() as pdf:
            for angle in (0, 90):
                pdf.add_blank_page(page_size=(220, 64))
                font = pikepdf.Dictionary(
                    Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
                )
                picture = pdf.make_stream(_saved(page(), "JPEG"))
                picture.Type, picture.Subtype, picture.Filter = (
                    pikepdf.Name.XObject,
                    pikepdf.Name.Image,
                    pikepdf.Name.DCTDecode,
                )
                picture.Width, picture.Height, picture.BitsPerComponent = 220, 64, 8
                picture.ColorSpace = pikepdf.Name.DeviceRGB
                last = pdf.pages[-1].obj
                last.Resources = pikepdf.Dictionary(
                    Font=pikepdf.Dictionary(F=font), XObject=pikepdf.Dictionary(I=picture)
                )
                last.Contents = pdf.make_stream(
                    b"q 110 0 0 32 0 0 cm /I Do Q BT /F 18 Tf 8 40 Td (General OCR) Tj ET"
                )
                last.Rotate = angle
            out = io.BytesIO()
            mode = pikepdf.ObjectStreamMode.generate if packed else pikepdf.ObjectStreamMode.disable
            pdf.save(out, object_stream_mode=mode, compress_streams=packed, deterministic_id=True)
            made.append(out.getvalue())
    return made


# --- what is done to them -------------------------------------------------------------------------------


def mutated(data: bytes, rng: random.Random, others: tuple[bytes, ...]) -> bytes:
    """Some bytes of a file changed, in one to six steps."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        if not out:
            break
        # Headers decide more than pixels do.
        place = rng.randrange(len(out)) if rng.random() < 0.5 else rng.randrange(min(len(out), 256))
        length = min(len(out) - place, rng.choice((1, 2, 4, 16, 200)))
        rng.choice(_BYTES)(out, place, length, rng, others)
    return bytes(out)


def _flip(out: bytearray, place: int, length: int, rng: random.Random, others: tuple[bytes, ...]) -> None:
    out[place] ^= 1 << rng.randrange(8)


def _noise(out: bytearray, place: int, length: int, rng: random.Random, others: tuple[bytes, ...]) -> None:
    out[place : place + length] = rng.randbytes(length)


def _number(out: bytearray, place: int, length: int, rng: random.Random, others: tuple[bytes, ...]) -> None:
    value, size = rng.choice(NUMBERS), rng.choice((1, 2, 4))
    data = struct.pack(rng.choice("<>") + {1: "B", 2: "H", 4: "I"}[size], value & (256**size - 1))
    out[place : place + size] = data


def _cut(out: bytearray, place: int, length: int, rng: random.Random, others: tuple[bytes, ...]) -> None:
    del out[place : place + length]


def _end(out: bytearray, place: int, length: int, rng: random.Random, others: tuple[bytes, ...]) -> None:
    del out[max(1, place) :]


def _again(out: bytearray, place: int, length: int, rng: random.Random, others: tuple[bytes, ...]) -> None:
    out[place:place] = bytes(out[place : place + length]) * rng.choice((1, 2, 50))


def _other(out: bytearray, place: int, length: int, rng: random.Random, others: tuple[bytes, ...]) -> None:
    other = rng.choice(others)
    start = rng.randrange(len(other))
    out[place : place + length] = other[start : start + 4 * length]


_BYTES = (_flip, _flip, _noise, _number, _number, _cut, _end, _again, _other)


def mended(kind: str, data: bytes) -> bytes:
    """The sums of a PNG's chunks set right, so that decoders look further than these."""
    if kind != "png" or data[:8] != b"\x89PNG\r\n\x1a\n":
        return data
    out, place = bytearray(data), 8
    while place + 12 <= len(out):
        (length,) = struct.unpack_from(">I", out, place)
        if place + 12 + length > len(out):
            break
        struct.pack_into(">I", out, place + 8 + length, zlib.crc32(out[place + 4 : place + 8 + length]))
        place += 12 + length
    return bytes(out)


_OPENINGS = ("\\begin{array}{l}", "\\frac{", "{", "\\[", "<table><tr><td>", "- ", "> ")


def mutated_text(text: str, rng: random.Random) -> str:
    """Pieces of a text taken out, doubled, moved or nested."""
    for _ in range(rng.choice((1, 2, 4))):
        a, b = sorted(rng.randrange(len(text) + 1) for _ in range(2))
        piece = text[a:b]
        text = rng.choice((
            text[:a] + text[b:],
            text[:a] + piece * rng.choice((2, 3, 20)) + text[b:],
            text[:a] + rng.choice("\\{}[]()$&|<>*_^#%\n\t\0\ud800\u202e") * rng.choice((1, 2, 300)) + text[a:],
            text[:a] + piece[::-1] + text[b:],
            rng.choice(_OPENINGS) * rng.choice((1, 60, 400)) + text,
        ))[:20_000]  # fmt: skip
    return text


def mutated_json(text: str, rng: random.Random) -> str:
    """Values of JSON exchanged for others."""
    values = [*re.finditer(r'(?<=: )("(?:[^"\\]|\\.)*"|-?[\d.]+(?:e-?\d+)?|true|false|null)', text)]
    for match in sorted(
        rng.sample(values, min(len(values), rng.choice((1, 1, 2)))), key=lambda m: -m.start()
    ):
        text = text[: match.start()] + rng.choice(WORDS) + text[match.end() :]
    return text


# --- what must be done with them ------------------------------------------------------------------------


def read_document(kind: str, rng: random.Random, folder: Path) -> Iterator[str]:
    """Yields the sentence of every page that was refused; a page that is neither read nor refused is an error."""
    files = pictures()[kind]
    data = mended(kind, mutated(rng.choice(files), rng, files))
    with open_document(data, limits=LIMITS) as document:
        done = 0
        for number in document.numbers[:4]:
            try:
                image = document.load(number).image
                assert image.mode == "RGB", image
                assert image.width * image.height <= LIMITS.max_pixels, image
                document.text(number)
            except GotOcr2Error as e:
                yield str(e)
            done += 1
        assert done == min(4, len(document.numbers)) > 0, "pages were lost"


def open_checkpoint(kind: str, rng: random.Random, folder: Path) -> Iterator[str]:
    """A checkpoint with one file changed opens and reads, or is refused."""
    from got_ocr2 import AutoModelForImageTextToText, AutoProcessor

    name = rng.choice(CHECKPOINT_FILES[kind])
    sound = checkpoint(folder) / name
    broken = folder / "broken"
    shutil.rmtree(broken, ignore_errors=True)
    shutil.copytree(checkpoint(folder), broken)
    data = sound.read_bytes()
    if kind == "safetensors":
        (length,) = struct.unpack_from("<Q", data)
        if rng.random() < 0.7:
            head = mutated_json(data[8 : 8 + length].decode().replace(":", ": "), rng).encode(
                "utf-8", "replace"
            )
            data = struct.pack("<Q", len(head)) + head + data[8 + length :]
        else:
            data = mutated(data[: 8 + length], rng, (data,)) + data[8 + length :]
    elif rng.random() < 0.7:
        data = mutated_json(data.decode(), rng).encode("utf-8", "replace")
    else:
        data = mutated(data, rng, (data,))
    (broken / name).write_bytes(data)
    processor = AutoProcessor.from_pretrained(broken)
    model = AutoModelForImageTextToText.from_pretrained(broken)
    model.generate(**processor(page()), max_new_tokens=1)
    return
    yield


def render_markup(kind: str, rng: random.Random, folder: Path) -> Iterator[str]:
    """A text of the model is written in one of its formats, or refused."""
    from got_ocr2.rendering import render
    from got_ocr2.rendering.kinds import kind_of

    text = mutated_text(rng.choice(TEXTS), rng)
    found = kind_of(text)
    done = render(text, rng.choice(FORMATS[found]), found)
    assert isinstance(done.data, bytes)
    return
    yield


def ask_server(kind: str, rng: random.Random, folder: Path) -> Iterator[str]:
    """A request of JSON is answered, or refused with a sentence; never by a fault of the server's."""
    path = rng.choice(tuple(BODIES))
    text = json.dumps(BODIES[path](), indent=1)
    change = rng.random()
    if change < 0.7:
        text = mutated_json(text, rng)
    elif change < 0.9:
        text = mutated_text(text, rng)
    data = text.encode("utf-8", "replace")
    if change >= 0.9:
        data = mutated(data, rng, (data,))
    answer = server(folder).post(path, content=data, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500 or answer.status_code == 503, (
        f"{path} answers {answer.status_code}: {answer.text[:200]}"
    )
    if answer.status_code >= 400:
        said = answer.json()
        yield said["error"]["message"] if "error" in said else said["message"]


@cache
def server(folder: Path) -> Any:
    from starlette.testclient import TestClient

    from got_ocr2.ocr import OCR
    from got_ocr2.server.app import create_app
    from got_ocr2.server.settings import Settings

    settings = Settings(max_tokens=4, max_seconds=30, requests_per_minute=10**9, max_pages=4, fetch_seconds=1,
                        max_pixels=LIMITS.max_pixels, data=folder / "data")  # fmt: skip
    ocr = OCR.from_pretrained(checkpoint(folder), device="cpu", threaded=True)
    return TestClient(create_app(ocr, settings, insecure_open=True)).__enter__()


def _address() -> str:
    return "data:image/png;base64," + base64.b64encode(_saved(page(), "PNG")).decode()


BODIES: dict[str, Callable[[], dict[str, Any]]] = {
    "/v1/chat/completions": lambda: {
        "model": "got-ocr2", "max_tokens": 2, "temperature": 0, "stream": False, "stop": "x", "logprobs": False, "n": 1,
        "messages": [{"role": "user", "content": [
            {"type": "text", "text": "OCR: "},
            {"type": "image_url", "image_url": {"url": _address(), "detail": "high"}},
        ]}],
        "options": {"format": False, "skip_blank": True},
    },
    "/v1/ocr": lambda: {
        "model": "got-ocr2", "document": {"type": "document_url", "document_url": _address()}, "pages": "0",
        "include_image_base64": False,
    },
}  # fmt: skip
CHECKPOINT_FILES = {
    "config": ("config.json", "generation_config.json", "preprocessor_config.json", "processor_config.json"),
    "tokenizer": ("tokenizer.json", "tokenizer.json", "tokenizer_config.json"),
    "safetensors": ("model.safetensors",),
}
ACTIONS: dict[str, Callable[[str, random.Random, Path], Iterator[str]]] = {
    **dict.fromkeys(
        ("png", "jpeg", "tiff", "gif", "webp", "avif", "jpeg2000", "bmp", "others", "pdf"), read_document
    ),
    **dict.fromkeys(CHECKPOINT_FILES, open_checkpoint),
    "markup": render_markup,
    "request": ask_server,
}
KINDS = tuple(ACTIONS)


@cache
def checkpoint(folder: Path) -> Path:
    """A whole checkpoint with a tiny random model and the vocabulary of the embedded one."""
    from got_ocr2 import AutoModelForImageTextToText, AutoProcessor, GotOcr2Config
    from got_ocr2.ocr import EMBEDDED_MODEL

    config = GotOcr2Config.from_pretrained(EMBEDDED_MODEL)
    vision = replace(config.vision_config, hidden_size=16, output_channels=8, num_hidden_layers=2, mlp_dim=16,
                     num_attention_heads=2, global_attn_indexes=(1,))  # fmt: skip
    text = replace(config.text_config, hidden_size=16, intermediate_size=16, num_hidden_layers=1,
                   num_attention_heads=2, num_key_value_heads=1)  # fmt: skip
    model = AutoModelForImageTextToText.from_config(replace(config, vision_config=vision, text_config=text))
    target = folder / "sound"
    model.save_pretrained(target)
    AutoProcessor.from_pretrained(EMBEDDED_MODEL).save_pretrained(target)
    assert json.loads((target / "config.json").read_text("utf-8"))["model_type"] == "got_ocr2"
    return target
