"""got-ocr2 as a server of the Model Context Protocol, over standard input and output.

The official `mcp` package speaks the protocol; the tools are those of `mcp_tools.Tools`.
"""

from __future__ import annotations

import base64
import logging
from functools import partial
from typing import Any

from .._version import __version__
from ..errors import GotOcr2Error
from ..extras import need
from ..ocr import OCR
from ..rendering.registry import FORMATS
from .folders import Folders
from .mcp_schemas import INPUTS, OUTPUTS
from .mcp_tools import Answer, Tools

_LOG = logging.getLogger(__name__)
_DESCRIPTIONS = {
    "read_document": (
        "Read a document",
        "Reads the text of a scanned page, photograph or PDF on this machine. Nothing leaves the machine.",
    ),
    "read_region": (
        "Read a part of a page",
        "Reads one box of a page, in pixels, or what stands in a red, green or blue frame.",
    ),
    "render": (
        "Write text as a file",
        "Turns text that was read, or a document that is read first, into Markdown, HTML, DOCX, PDF, a PDF that can be "
        "searched, XLSX, SVG, MIDI and more.",
    ),
}


def serve(ocr: OCR, folders: Folders) -> None:
    """Serves one client on standard input and output until it closes them.

    Calls run side by side, and their pages are read together. A call that the client cancels ends at the next token.

    Raises:
        MissingDependencyError: `mcp` is not installed.
    """
    anyio = need("anyio", "The Model Context Protocol server", extra="mcp")
    anyio.run(partial(_serve, make_server(ocr, folders)))


def make_server(ocr: OCR, folders: Folders) -> Any:
    """The `mcp.server.lowlevel.Server`, for other transports than standard input and output."""
    lowlevel = need("mcp.server.lowlevel", "The Model Context Protocol server", extra="mcp")
    types = need("mcp_types", "The Model Context Protocol server", extra="mcp")
    threads = need("anyio.to_thread", "The Model Context Protocol server", extra="mcp")
    back = need("anyio.from_thread", "The Model Context Protocol server", extra="mcp")
    shared = need("mcp.shared.exceptions", "The Model Context Protocol server", extra="mcp")
    tools = Tools(ocr, folders)

    async def list_tools(context: Any, params: Any) -> Any:
        return types.ListToolsResult(tools=[_tool(types, name, folders) for name in INPUTS])

    async def call_tool(context: Any, params: Any) -> Any:
        if params.name not in INPUTS:
            raise shared.MCPError(types.INVALID_PARAMS, f"There is no tool {params.name!r}.")
        told = [0]

        def progress(done: int, total: int) -> None:
            back.check_cancelled()
            if done > told[0]:
                told[0] = done
                back.run(context.session.report_progress, done, total, None)

        try:
            answer = await threads.run_sync(tools.call, params.name, params.arguments or {}, progress)
        except GotOcr2Error as e:
            return _failure(types, str(e))
        except Exception as e:
            _LOG.exception("A call of %s failed", params.name)
            return _failure(types, f"got-ocr2 did not expect this error: {type(e).__name__}.")
        return types.CallToolResult(content=_content(types, answer), structured_content=answer.structured)

    return lowlevel.Server(
        "got-ocr2",
        version=__version__,
        instructions=_instructions(folders),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def _serve(server: Any) -> None:
    stdio = need("mcp.server.stdio", "The Model Context Protocol server", extra="mcp")
    async with stdio.stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def _instructions(folders: Folders) -> str:
    readable = ", ".join(map(str, folders.readable))
    writing = "" if folders.writable is None else f" Files are written to {folders.writable}."
    return f"Documents are read from {readable}; paths may be relative to them.{writing}"


def _tool(types: Any, name: str, folders: Folders) -> Any:
    title, description = _DESCRIPTIONS[name]
    writes = name == "render" and folders.writable is not None
    hints = types.ToolAnnotations(read_only_hint=not writes, destructive_hint=False, open_world_hint=False)
    return types.Tool(
        name=name,
        title=title,
        description=description,
        input_schema=INPUTS[name],
        output_schema=OUTPUTS[name],
        annotations=hints,
    )


def _failure(types: Any, sentence: str) -> Any:
    return types.CallToolResult(content=[types.TextContent(text=sentence)], is_error=True)


def _content(types: Any, answer: Answer) -> list[Any]:
    """The text or the file, then what went wrong on the way."""
    blocks: list[Any] = []
    if answer.text:
        blocks.append(types.TextContent(text=answer.text))
    if (file := answer.file) is not None:
        if FORMATS[file.format].textual:
            blocks.append(types.TextContent(text=file.text))
        elif file.format == "png":
            blocks.append(types.ImageContent(data=_base64(file.data), mime_type=file.media_type))
        else:
            uri = f"got-ocr2://rendered/{file.kind}{file.suffix}"
            blob = types.BlobResourceContents(uri=uri, blob=_base64(file.data), mime_type=file.media_type)
            blocks.append(types.EmbeddedResource(resource=blob))
    return blocks + [types.TextContent(text=note) for note in answer.notes]


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
