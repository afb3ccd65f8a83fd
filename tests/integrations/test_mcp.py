"""The server of the Model Context Protocol, asked by the official client over stdio and in memory."""

from __future__ import annotations

import base64
import os
import sys
import zipfile
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator
from PIL import Image, ImageDraw

from fake_ocr import fake_ocr, size_of
from got_ocr2.cli import main
from got_ocr2.integrations.folders import Folders
from got_ocr2.integrations.mcp import make_server
from got_ocr2.integrations.mcp_schemas import INPUTS, OUTPUTS
from lazy_modules import lazy_module

mcp = lazy_module("mcp")
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two pages of different sizes in one TIFF, and a secret outside."""
    documents = tmp_path / "documents"
    (documents / "inner").mkdir(parents=True)
    pages = [Image.new("RGB", size, "white") for size in ((40, 30), (50, 20))]
    for page in pages:
        ImageDraw.Draw(page).line((3, 5, 30, 15), fill="black", width=3)
    pages[0].save(documents / "two.tiff", save_all=True, append_images=pages[1:])
    pages[1].save(documents / "inner/one.png")
    pages[0].save(tmp_path / "secret.png")
    return documents


def ask(server: Any, *calls: tuple[str, dict[str, Any]], **how: Any) -> list[Any]:
    """The results of these calls, by the official client."""

    async def talk() -> list[Any]:
        async with mcp.Client(server) as client:
            return [await client.call_tool(name, arguments, **how) for name, arguments in calls]

    return anyio.run(talk)


def sentence(result: Any) -> str:
    """The one sentence of a failed call."""
    assert result.is_error, result.content
    (block,) = result.content
    assert block.text.endswith(".")
    assert "\n" not in block.text
    return block.text


def server(folder: Path, *, writable: Path | None = None, answer: Any = size_of) -> Any:
    return make_server(fake_ocr(answer, threaded=True), Folders([folder], writable))


def test_the_command_serves_the_official_client_over_stdio():
    program = mcp.StdioServerParameters(
        command=sys.executable,
        args=["-m", "got_ocr2", "mcp", "--folder", str(EXAMPLES)],
        env={name: os.environ[name] for name in ("PYTHONPATH", "OMP_NUM_THREADS") if name in os.environ},
    )

    async def talk() -> None:
        async with mcp.Client(program, read_timeout_seconds=100) as client:
            assert client.server_info.name == "got-ocr2"
            assert str(EXAMPLES) in client.instructions
            tools = {tool.name: tool for tool in (await client.list_tools()).tools}
            assert list(tools) == ["read_document", "read_region", "render"]
            path = "brochure_heading.png"
            read = await client.call_tool("read_document", {"path": path, "places": True})
            truth = (EXAMPLES / "brochure_heading.txt").read_text("utf-8").strip()
            assert read.content[0].text == truth
            (page,) = read.structured_content["pages"]
            (line,) = page["lines"]
            region = await client.call_tool("read_region", {"path": path, "box": line["box"]})
            assert region.structured_content["text"] == truth
            refused = await client.call_tool("read_document", {"path": "../README.md"})
            assert sentence(refused) == f"../README.md does not lie in {EXAMPLES}."

    anyio.run(talk)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--folder", "/"], 1, "/ holds every file of this machine; name a smaller folder with --folder.\n"),
        (["--folder", "missing"], 5, "missing is not a folder.\n"),
    ],
)
def test_a_wrong_folder_ends_the_command(arguments, code, said, capsys):
    assert main(["mcp", *arguments]) == code
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", said)


def test_schemas_are_schemas_and_answers_keep_them(folder, tmp_path):
    for schema in (*INPUTS.values(), *OUTPUTS.values()):
        Draft202012Validator.check_schema(schema)
    calls = [
        ("read_document", {"path": "two.tiff"}),
        ("read_region", {"path": "inner/one.png", "box": [0, 0, 20, 10]}),
        ("render", {"text": "CCO", "kind": "molecule", "to": "smiles"}),
    ]
    for (name, arguments), result in zip(calls, ask(server(folder), *calls), strict=True):
        Draft202012Validator(INPUTS[name]).validate(arguments)
        Draft202012Validator(OUTPUTS[name]).validate(result.structured_content)


def test_a_document_is_read_page_by_page_and_progress_is_told(folder):
    told: list[tuple[float, float | None]] = []

    async def hear(done: float, total: float | None, message: str | None) -> None:
        told.append((done, total))

    (result,) = ask(server(folder), ("read_document", {"path": "two.tiff"}), progress_callback=hear)
    assert result.content[0].text == "40x30\n\n50x20"
    assert [page["pages"] for page in result.structured_content["pages"]] == [[1], [2]]
    assert [(p["width"], p["height"]) for p in result.structured_content["pages"]] == [(40, 30), (50, 20)]
    assert told == [(1, 2), (2, 2)]
    (second,) = ask(server(folder), ("read_document", {"path": "two.tiff", "pages": "2"}))
    assert second.content[0].text == "50x20"


def test_pages_that_fail_are_named_and_the_others_given(folder):
    def answer(pages: list[Image.Image]) -> str | Exception:
        return "first" if pages[0].width == 40 else RuntimeError("no memory")

    (result,) = ask(server(folder, answer=answer), ("read_document", {"path": "two.tiff"}))
    assert not result.is_error
    assert result.content[0].text == "first"
    assert result.content[1].text.startswith("Page 2 could not be read: RuntimeError: no memory")
    first, second = result.structured_content["pages"]
    assert (first["error"], second["status"]) == (None, "failed")
    (all_bad,) = ask(server(folder, answer=answer), ("read_document", {"path": "inner/one.png"}))
    assert all_bad.is_error


@pytest.mark.parametrize(
    "path", ["../secret.png", "inner/../../secret.png", "link.png", "ABSOLUTE", "../nothing.png"]
)
def test_files_elsewhere_are_refused_whether_they_are_there_or_not(folder, path):
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    path = path.replace("ABSOLUTE", str(folder.parent / "secret.png"))
    (result,) = ask(server(folder), ("read_document", {"path": path}))
    assert sentence(result) == f"{path} does not lie in {folder}."


def test_bad_calls_are_one_sentence_each(folder):
    expected = {
        "read_document": [
            ({}, "read_document needs path."),
            ({"path": 3}, "path must be a text that is not empty, got 3."),
            ({"path": "two.tiff", "format": "yes"}, "format must be true or false, got 'yes'."),
            ({"path": "none.png"}, "none.png does not exist."),
            ({"path": "a\0b"}, "a\\x00b cannot be read: "),
            ({"path": "inner"}, "inner is a folder; name one document, such as one.png."),
            ({"path": "https://example.org/a.png"}, "Addresses are not opened here; name a file in "),
            ({"path": "two.tiff", "pages": "7"}, "Page 7 was asked for"),
            ({"path": "two.tiff", "where": 1}, "read_document has no argument 'where'; it has path, "),
        ],
        "read_region": [
            ({"path": "two.tiff"}, "read_region needs either box or color, got neither."),
            ({"path": "two.tiff", "box": [0, 0, 9, 9], "color": "red"}, "read_region needs either box or color, got b"),
            ({"path": "two.tiff", "box": [0, 0, 9]}, "box must be four numbers, got [0, 0, 9]."),
            ({"path": "two.tiff", "box": [9, 0, 3, 9]}, "The box [9, 0, 3, 9] is empty or reversed"),
            ({"path": "two.tiff", "color": "pink"}, "color must be one of red, green, blue, got 'pink'."),
        ],
        "render": [
            ({"to": "md"}, "render needs either text or path, got neither."),
            ({"text": "a", "to": "gif"}, "to must be one of md, "),
            ({"text": "a", "to": "hocr"}, "hocr shows where words stand on a page; it needs path, got text."),
            ({"text": "a", "to": "md", "pages": "1"}, "pages is about reading a document; it needs path."),
            ({"path": "two.tiff", "to": "md", "plain": True}, "plain is about a text; leave it out with path."),
            ({"text": "a", "to": "md", "file": "a.md"}, "No folder to write to was given"),
        ],
    }  # fmt: skip
    calls = [(name, arguments) for name, cases in expected.items() for arguments, _ in cases]
    said = [start for cases in expected.values() for _, start in cases]
    for result, start in zip(ask(server(folder), *calls), said, strict=True):
        assert sentence(result).startswith(start)


def test_an_unknown_tool_is_an_error_of_the_protocol(folder):
    async def talk() -> None:
        async with mcp.Client(server(folder)) as client:
            with pytest.raises(mcp.MCPError, match="There is no tool 'guess'"):
                await client.call_tool("guess", {})

    anyio.run(talk)


def test_rendered_files_come_back_or_are_written_and_never_over_another(folder, tmp_path):
    pytest.importorskip("docx")
    out = tmp_path / "out"
    out.mkdir()
    docx = {"text": "# Title\n\nwords", "to": "docx"}
    markdown, inline, written, again, outside = ask(
        server(folder, writable=out),
        ("render", {"path": "two.tiff", "to": "md"}),
        ("render", docx),
        ("render", {**docx, "file": "new/a.docx"}),
        ("render", {**docx, "file": "new/a.docx"}),
        ("render", {**docx, "file": "../a.docx"}),
    )
    assert "40x30" in markdown.content[0].text
    blob = base64.b64decode(inline.content[0].resource.blob)
    assert "word/document.xml" in zipfile.ZipFile(BytesIO(blob)).namelist()
    assert written.structured_content["file"] == "new/a.docx"
    assert (out / "new/a.docx").stat().st_size == written.structured_content["bytes"]
    assert sentence(again) == "new/a.docx is there already and was not overwritten."
    assert sentence(outside) == f"../a.docx does not lie in {out}."
    assert not (tmp_path / "a.docx").exists()


def test_an_unexpected_error_is_one_sentence_without_its_words(folder, monkeypatch, caplog):
    monkeypatch.setattr(Folders, "document", lambda *_: 1 / 0)
    (result,) = ask(server(folder), ("read_document", {"path": "two.tiff"}))
    assert sentence(result) == "got-ocr2 did not expect this error: ZeroDivisionError."
    assert "A call of read_document failed" in caplog.text


def test_a_cancelled_call_ends_the_work(folder):
    made = fake_ocr(lambda pages: "word " * 190, threaded=True)
    runner: Any = made.runner  # type: ignore[attr-defined]
    begun, gate, forward = Event(), Event(), runner.forward

    def gated(ids: Any, rows: Any) -> Any:
        if runner.steps == 20:
            begun.set()
            assert gate.wait(30)
        return forward(ids, rows)

    runner.forward = gated

    async def talk() -> None:
        async with mcp.Client(make_server(made, Folders([folder]))) as client:
            async with anyio.create_task_group() as group:
                group.start_soon(client.call_tool, "read_document", {"path": "two.tiff"})
                while not begun.is_set():
                    await anyio.sleep(0.01)
                group.cancel_scope.cancel()
                gate.set()
            assert runner.steps < 900, "the text of 950 tokens was written to its end"

    anyio.run(talk)
