"""Rules of the house: who may import whom, what is public, and that importing does no work."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import got_ocr2
from import_graph import (
    LOADERS,
    ROOT,
    SOURCES,
    circle,
    function_lengths,
    imported_files,
    imports_and_calls,
    name_of,
)

SCREEN = 50  # lines
FACADE = {
    "auto", "calibration", "checkpoints", "config", "conversion", "documents", "errors", "extras", "generation",
    "hub", "kernels", "layout", "modeling", "ocr", "pretrained", "processing", "reading", "results", "wording",
}  # fmt: skip
# Room -> the rooms it may import from, as docs/architecture.md draws it. Imports inside functions count too.
ALLOWED: dict[str, set[str]] = {
    "_version": set(),
    "__main__": {"cli"},
    "errors": set(),
    "wording": set(),
    "extras": {"errors"},
    "pretrained": {"errors"},
    "hub": {"errors"},
    "config": {"errors", "hub", "pretrained"},
    "results": {"errors"},
    "processing": {"config", "errors", "hub", "pretrained"},
    "generation": {"config", "errors"},
    "kernels": {"errors"},
    "checkpoints": {"config", "errors", "generation", "hub", "pretrained", "processing"},
    "modeling": {"checkpoints", "config", "errors", "extras", "generation", "kernels"},
    "calibration": {"documents", "errors", "kernels", "modeling", "ocr", "processing", "reading"},
    "conversion": {
        "calibration",
        "checkpoints",
        "config",
        "documents",
        "errors",
        "hub",
        "modeling",
        "processing",
    },
    "auto": {"checkpoints", "config", "documents", "errors", "hub", "modeling", "pretrained", "processing"},
    "documents": {"errors", "processing", "wording"},
    "layout": {"errors"},
    "reading": {
        "documents",
        "layout",
        "errors",
        "generation",
        "modeling",
        "processing",
        "results",
        "wording",
    },
    "ocr": FACADE - {"ocr", "calibration", "conversion"},
    "synth": {"errors"},
    "rendering": {"errors", "extras", "results", "wording"},
    "cluster": FACADE | {"machine", "rendering"},
    "integrations": FACADE | {"rendering"},
    "server": FACADE | {"rendering"},
    "training": FACADE | {"synth", "evaluation"},
    "machine": {"_version"},
    "evaluation": FACADE | {"machine", "synth"},
    "benchmarking": FACADE | {"machine"},
    "verification": FACADE | {"benchmarking", "evaluation", "machine"},
    "cli": FACADE
    | {
        "benchmarking",
        "cluster",
        "evaluation",
        "integrations",
        "machine",
        "rendering",
        "server",
        "synth",
        "training",
        "verification",
        "_version",
    },
}
# Folder or file of `synth/` -> those that it may import from: what kinds share, the kinds, what is made of them.
_SHARED = {"sample", "sources", "corpora", "fonts", "drawing"}
SYNTH: dict[str, set[str]] = {
    "sample": set(),
    "sources": set(),
    "corpora": {"sources"},
    "fonts": {"sources"},
    "drawing": {"sample", "fonts"},
    "degradation": {"sample", "drawing"},
    "markup": {"sample", "drawing"},
    "text": _SHARED,
    "lines": _SHARED | {"degradation", "text"},
    "formulas": _SHARED | {"markup"},
    "tables": _SHARED | {"formulas", "markup"},
    "pages": _SHARED | {"formulas", "markup", "tables"},
    "molecules": _SHARED,
    "music": _SHARED,
    "geometry": _SHARED,
    "charts": _SHARED,
    "composing": _SHARED,
    "mixture": {"sample", "degradation"},
    "registry": {"sample", "composing", "mixture"},
    "stream": {"sample"},
    "dataset": {"sample", "corpora", "fonts", "mixture", "registry"},
    "conversations": {"sample", "dataset"},
    "preview": {"sample", "fonts"},
    "pack": {"corpora", "fonts", "sources"},
}


def rooms(files: set[str], depth: int = 0) -> set[str]:
    """The first part of each name below `depth` folders: a folder, or a file without its ending."""
    return {name.split("/")[depth].removesuffix(".py") for name in files}


def upwards(paths: list[Path], allowed: dict[str, set[str]], inside: str = "") -> dict[str, set[str]]:
    """Every file that imports from rooms inside a folder that it may not import from, with these rooms."""
    depth, found = inside.count("/"), {}
    for path in paths:
        (own,) = rooms({name_of(path)}, depth)
        files = {name for name in imported_files(path) if name.startswith(inside)}
        found[name_of(path)] = rooms(files, depth) - {own, "_version"} - allowed[own]
    return {name: bad for name, bad in found.items() if bad}


def test_imports_go_one_way():
    assert upwards(SOURCES, ALLOWED) == {}


def test_an_import_upwards_is_seen():
    file = ROOT / "reading/reader.py"
    assert upwards([file], {"reading": {"errors"}})["reading/reader.py"] > {"generation", "modeling"}


def test_the_table_of_the_house_names_every_room():
    page = (Path(__file__).parents[1] / "docs/architecture.md").read_text("utf-8")
    table = page[page.index("| room |") :].partition("\n\n")[0]
    named = {name.rstrip("/").removesuffix(".py") for name in re.findall(r"`(\w+(?:/|\.py))`", table)}
    assert rooms({name_of(path) for path in SOURCES}) - {"_version", "__main__"} <= named


def test_every_file_that_the_page_of_the_house_names_is_there():
    root = Path(__file__).parents[1]
    page = (root / "docs/architecture.md").read_text("utf-8")
    named = set(re.findall(r"(?<![\w/])[\w-]+(?:/[\w-]+)*(?:/|\.py)(?!\w)", page))
    there = [f"/{name_of(path)}{'/' * path.is_dir()}" for path in ROOT.rglob("*")]
    assert len(named) > 60
    missing = {name for name in named if not any(path.endswith(f"/{name}") for path in there)}
    assert missing == {"tests/test_house.py"}


def test_no_file_imports_itself_by_way_of_others():
    assert circle({name_of(path): imported_files(path) for path in SOURCES}) == []


def test_a_circle_is_seen():
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": {"d"}, "d": {"b"}}) == ["b", "c", "d", "b"]
    assert circle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def test_what_a_file_imports_is_seen():
    assert imported_files(ROOT / "modeling/model.py") == {
        "checkpoints/__init__.py", "checkpoints/mixin.py", "generation/__init__.py", "generation/engine/__init__.py",
        "generation/engine/runner.py", "generation/mixin.py", "modeling/backends/__init__.py",
        "modeling/backends/torch_runner.py", "modeling/backends/uncached_runner.py", "modeling/ecosystem.py",
    }  # fmt: skip
    # Inside a function.
    assert "modeling/backends/cuda/triton_operations.py" in imported_files(
        ROOT / "modeling/backends/cuda/operations_choice.py"
    )


def test_the_data_engines_are_built_from_below():
    files = [path for path in sorted((ROOT / "synth").rglob("*.py")) if path != ROOT / "synth/__init__.py"]
    assert upwards(files, SYNTH, "synth/") == {}


def test_every_function_is_read_on_a_screen():
    """Its lines without the docstring, which is read by itself."""
    lengths = [(lines, name_of(path), name) for path in SOURCES for name, lines in function_lengths(path)]
    assert len(lengths) > 3000
    assert [one for one in lengths if one[0] > SCREEN] == []


def test_a_long_function_is_seen(tmp_path):
    file = tmp_path / "long.py"
    lines = [
        "class A:",
        "    def f(self):",
        '        """One.',
        "",
        "        Two.",
        '        """',
        "        x = 1",
        "",
        "        return x",
    ]
    file.write_text("\n".join(lines))
    assert function_lengths(file) == [("f", 4)]


def test_the_oracle_and_heavy_libraries_are_never_imported():
    for path in SOURCES:
        for node in imports_and_calls(path):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            banned = {"transformers", "torchvision", "einops", "pydantic", "tiktoken"}
            if name_of(path).startswith("server/"):  # FastAPI describes JSON in pydantic's words
                banned -= {"pydantic"}
            assert not banned & {name.split(".")[0] for name in names}, path


def test_only_one_file_loads_the_oracle_by_name():
    """`bench --against` and `verify` compare with transformers where it is installed; nobody else may load it."""
    loading = set()
    for path in SOURCES:
        for node in imports_and_calls(path):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                words = {getattr(word, "value", getattr(word, "id", None)) for word in node.args}
                if name in LOADERS and words & {"transformers", "NAME"}:
                    loading.add(path.relative_to(ROOT).as_posix())
    assert loading == {"benchmarking/oracle.py"}


def test_public_members_are_exactly_these():
    assert sorted(got_ocr2.__all__) == [
        "AutoConfig", "AutoImageProcessor", "AutoModel", "AutoModelForImageTextToText", "AutoProcessor",
        "AutoTokenizer", "DocumentResult", "GotOcr2Config", "GotOcr2Error",
        "GotOcr2ForConditionalGeneration", "GotOcr2ImageProcessor", "GotOcr2Model", "GotOcr2Processor",
        "GotOcr2TextConfig", "GotOcr2Tokenizer", "GotOcr2VisionConfig", "OCR", "PageResult",
        "TextIteratorStreamer", "TextStreamer", "__version__",
    ]  # fmt: skip
    for name in got_ocr2.__all__:
        assert getattr(got_ocr2, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Ocr'"):
        got_ocr2.Ocr  # noqa: B018


def test_importing_does_no_work():
    """No torch, no file opened but modules, no socket."""
    code = (
        "import sys\n"
        "def audit(event, args):\n"
        "    if event.startswith(('socket.', 'subprocess.')):\n"
        "        raise SystemExit(f'{event} at import')\n"
        "    if event == 'open' and not str(args[0]).endswith(('.py', '.pyc', '.so', '.pth')) "
        "and 'got_ocr2' in str(args[0]):\n"
        "        raise SystemExit(f'opened {args[0]} at import')\n"
        "sys.addaudithook(audit)\n"
        "import got_ocr2\n"
        "print(sorted({'torch', 'numpy', 'PIL', 'tokenizers', 'typer'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
