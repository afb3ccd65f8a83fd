from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from got_ocr2.documents import Limits, expand, open_document, open_source, source_name
from got_ocr2.errors import FileAccessError, InputError, InvalidOptionError
from make_pdf import make_pdf


def png(color: str = "red", size: tuple[int, int] = (4, 3)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("page10.png", "page2.PNG", "notes.txt", ".hidden.png", "sub/deep.jpg", ".git/x.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(png())
    (tmp_path / "book.pdf").write_bytes(make_pdf(["a", "b"]))
    return tmp_path


def names(paths: list, folder: Path) -> list[str]:
    return [str(Path(path).relative_to(folder)) for path in paths]


def test_a_folder_is_its_documents_in_natural_order(folder):
    assert names(expand(folder), folder) == ["book.pdf", "page2.PNG", "page10.png"]
    assert names(expand(str(folder), recursive=True), folder) == [
        "book.pdf", "page2.PNG", "page10.png", "sub/deep.jpg",
    ]  # fmt: skip


def test_a_pattern_is_the_files_that_match(folder):
    assert names(expand(f"{folder}/page*"), folder) == ["page2.PNG", "page10.png"]
    assert names(expand(f"{folder}/**/*.jpg"), folder) == ["sub/deep.jpg"]
    with pytest.raises(FileAccessError, match=r"No file matches .*\*\.gif\."):
        expand(f"{folder}/*.gif")


def test_a_file_may_be_named_like_a_pattern(tmp_path):
    (tmp_path / "a[1].png").write_bytes(png("red"))
    (tmp_path / "a1.png").write_bytes(png("blue"))
    assert names(expand(f"{tmp_path}/a[1].png"), tmp_path) == ["a[1].png"]
    (page,) = open_source(f"{tmp_path}/a[1].png")
    assert page.image.getpixel((0, 0)) == (255, 0, 0)


def test_a_folder_without_documents(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.png").write_bytes(png())
    with pytest.raises(InputError, match=r"The folder .* holds no picture and no PDF\."):
        expand(tmp_path)
    assert len(expand(tmp_path, recursive=True)) == 1


def test_other_sources_stand_for_themselves():
    for source in ("-", "https://example.org/a*b.png", b"x", Image.new("L", (1, 1)), "missing.png"):
        assert expand(source) == [source]


def test_the_pages_of_a_folder_come_one_after_another(folder):
    pages = list(open_source(folder))
    assert [(Path(page.source).name, page.number) for page in pages] == [
        ("book.pdf", 1), ("book.pdf", 2), ("page2.PNG", 1), ("page10.png", 1),
    ]  # fmt: skip


def test_pages_are_opened_only_when_they_are_asked_for(folder):
    (folder / "page10.png").write_bytes(b"broken")
    pages = open_source(folder)
    assert [next(pages).number for _ in range(3)] == [1, 2, 1]
    with pytest.raises(InputError, match="page10"):
        next(pages)


def test_bytes_in_every_dress():
    data = png()
    for source in (data, bytearray(data), memoryview(data), io.BytesIO(data)):
        (page,) = open_source(source)
        assert page.image.size == (4, 3)


def test_an_open_file_stays_open(tmp_path):
    (tmp_path / "a.png").write_bytes(png())
    with (tmp_path / "a.png").open("rb") as stream:
        (page,) = open_source(stream)
        assert page.source == str(tmp_path / "a.png")
        assert not stream.closed
    with pytest.raises(InputError, match="gives str, not bytes; open it in binary mode"):
        open_document(io.StringIO("text"))  # type: ignore[arg-type]


def test_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(png())))
    (page,) = open_source("-")
    assert (page.source, page.image.size) == ("<stdin>", (4, 3))
    with pytest.raises(InputError, match="<stdin> is empty"):
        open_document("-")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe(tmp_path):
    read, write = os.pipe()
    with os.fdopen(write, "wb") as stream:
        stream.write(png())
    (page,) = open_source(f"/dev/fd/{read}")
    os.close(read)
    assert page.image.size == (4, 3)


def test_what_cannot_be_opened(tmp_path):
    cases = {
        tmp_path / "none.png": "does not exist",
        tmp_path: "is a folder; one document is needed here",
        "a" * 5000: "cannot be read: File name too long",
        "null\0byte": "cannot be read",
        "": "An empty text names no document",
    }
    for source, message in cases.items():
        with pytest.raises(FileAccessError, match=message) as caught:
            open_document(source)
        assert caught.value.exit_code == 5
        assert "\n" not in str(caught.value)
        assert "\0" not in str(caught.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "secret.png"
    path.write_bytes(png())
    path.chmod(0)
    with pytest.raises(FileAccessError, match="cannot be read: Permission denied"):
        open_document(path)


def test_a_number_is_no_document():
    with pytest.raises(InvalidOptionError, match=r"A document is a path.*got int\."):
        open_document(3)  # type: ignore[arg-type]


def test_the_byte_limit(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png())
    size = path.stat().st_size
    limits = Limits(max_bytes=size - 1)
    for source in (path, path.read_bytes(), io.BytesIO(path.read_bytes())):
        with pytest.raises(
            InputError, match=rf"has at least {size} bytes, more than the limit of {size - 1} \(max_b"
        ):
            open_document(source, limits=limits)
    open_document(path, limits=Limits(max_bytes=size)).close()


@pytest.mark.parametrize(
    "name", ["line\nbreak.png", "umläut-日本.png", "-dash.png", "sp ace.png", "em\u2014dash.png"]
)
def test_odd_names(tmp_path, name):
    (tmp_path / name).write_bytes(png())
    (page,) = open_source(tmp_path / name)
    assert page.source == str(tmp_path / name)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_name_that_is_not_text(tmp_path):
    path = os.fsencode(tmp_path) + b"/bad\xff.png"
    Path(os.fsdecode(path)).write_bytes(png())
    (page,) = open_source(tmp_path)
    assert os.fsencode(page.source) == path


def test_names_without_opening():
    cases = {"-": "<stdin>", "data:,x": "<data>", "a.png": "a.png", b"": "<bytes>"}
    assert {source: source_name(source) for source in cases} == cases
    assert source_name(io.BytesIO()) == "<stream>"
    assert source_name(Image.new("L", (1, 1))) == "<image>"
