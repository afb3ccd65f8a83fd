"""Rules of the house: who may import whom, what is public, and that importing does no work."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import got_ocr2

ROOT = Path(got_ocr2.__file__).parent
FACADE = {
    "auto", "checkpoints", "config", "documents", "errors", "extras", "generation", "hub", "kernels", "modeling",
    "ocr", "pretrained", "processing", "reading", "results", "wording",
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
    "modeling": {"config", "errors", "generation", "kernels"},
    "checkpoints": {"config", "errors", "generation", "hub", "modeling", "pretrained", "processing"},
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
    "ocr": FACADE - {"ocr"},
    "synth": {"errors"},
    "rendering": {"errors", "results", "wording"},
    "training": FACADE | {"synth", "evaluation"},
    "machine": {"_version"},
    "evaluation": FACADE | {"machine", "synth"},
    "benchmarking": FACADE | {"machine"},
    "verification": FACADE | {"benchmarking", "evaluation", "machine"},
    "cli": FACADE
    | {"benchmarking", "evaluation", "machine", "rendering", "synth", "training", "verification", "_version"},
}
# Modeling's two thin methods for users, whose work is done by checkpoints/; they import it when called.
CALLED_UPWARDS = {("modeling/model.py", "checkpoints")}


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(path: Path) -> set[str]:
    """Rooms of the package that a file imports from."""
    package = ("got_ocr2", *path.relative_to(ROOT).parts[:-1])
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            target = [*base, *(node.module.split(".") if node.module else [])]
            names = [[*target, alias.name] for alias in node.names] if len(target) == 1 else [target]
        elif isinstance(node, ast.ImportFrom):
            names = [(node.module or "").split(".")]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        else:
            continue
        found |= {name[1] for name in names if name[0] == "got_ocr2" and len(name) > 1}
    return found


SOURCES = sorted(p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py")


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path):
    own = room(path)
    upwards = {r for name, r in CALLED_UPWARDS if name == path.relative_to(ROOT).as_posix()}
    assert imports(path) - {own, "_version", "__version__"} <= ALLOWED[own] | upwards


def test_the_oracle_and_heavy_libraries_are_never_imported():
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            banned = {"transformers", "torchvision", "einops", "pydantic", "tiktoken"}
            assert not banned & {name.split(".")[0] for name in names}, path


def test_only_one_file_loads_the_oracle_by_name():
    """`bench --against` and `verify` compare with transformers where it is installed; nobody else may load it."""
    callers = {"import_module", "__import__", "find_spec"}
    loading = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                words = {getattr(word, "value", getattr(word, "id", None)) for word in node.args}
                if name in callers and words & {"transformers", "NAME"}:
                    loading.add(path.relative_to(ROOT).as_posix())
    assert loading == {"benchmarking/oracle.py"}


def test_public_members_are_exactly_these():
    assert sorted(got_ocr2.__all__) == [
        "AutoModelForImageTextToText", "AutoProcessor", "DocumentResult", "GotOcr2Config", "GotOcr2Error",
        "GotOcr2ForConditionalGeneration", "GotOcr2ImageProcessor", "GotOcr2Processor", "GotOcr2TextConfig",
        "GotOcr2Tokenizer", "GotOcr2VisionConfig", "OCR", "PageResult", "TextStreamer", "__version__",
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
