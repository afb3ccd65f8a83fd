"""Which file of the package imports which, imports inside functions and those for type checkers counted."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import got_ocr2

ROOT = Path(got_ocr2.__file__).parent
SOURCES = sorted(p for p in ROOT.rglob("*.py") if p != ROOT / "__init__.py")
"""Every file but the first one, which names everything and imports nothing until it is asked."""


def name_of(path: Path) -> str:
    """`modeling/model.py`"""
    return path.relative_to(ROOT).as_posix()


LOADERS = ("import_module", "__import__", "find_spec")
"""Functions that load a module by its name, or look for it."""

Looked = ast.Import | ast.ImportFrom | ast.Call | ast.FunctionDef | ast.AsyncFunctionDef


@cache
def _nodes(path: Path) -> tuple[Looked, ...]:
    """A file is parsed and walked once for all tests; calls are looked at in files that may load a module by one."""
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    nodes = ast.walk(tree) if any(name in text for name in LOADERS) else _statements(tree)
    return tuple(node for node in nodes if isinstance(node, Looked))


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """All statements inside a node: expressions, most of a tree, are left out."""
    for field in ("body", "orelse", "finalbody", "handlers", "cases"):
        for inner in getattr(node, field, ()):
            if isinstance(inner, ast.stmt):
                yield inner
            yield from _statements(inner)


def imports_and_calls(path: Path) -> list[ast.Import | ast.ImportFrom | ast.Call]:
    """What may load a module, in all functions too: of calls those in files that name one of `LOADERS`."""
    return [node for node in _nodes(path) if isinstance(node, ast.Import | ast.ImportFrom | ast.Call)]


def function_lengths(path: Path) -> list[tuple[str, int]]:
    """Every function by name with its number of lines, those of its docstring not counted."""
    found = []
    for node in _nodes(path):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = _lines(node)
            if ast.get_docstring(node, clean=False) is not None:
                lines -= _lines(node.body[0])
            found.append((node.name, lines))
    return found


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


@cache
def imported_files(path: Path) -> set[str]:
    """The files of the package that a file imports, named as `name_of` does.

    A name from a package's `__init__.py` counts as that file. A file in another folder counts with the `__init__.py`
    of the folders that it lies in, since importing it runs them; those of the importer's own folders have begun.
    """
    own = path.relative_to(ROOT).parts[:-1]
    found: set[str] = set()
    for target in _imported_names(path):
        for length in range(1, len(target) + 1):
            part = target[:length]
            file = ROOT.joinpath(*part).with_suffix(".py")
            start = ROOT.joinpath(*part, "__init__.py")
            if file.is_file():
                found.add(name_of(file))
            elif start.is_file() and (part != own[:length] or length == len(target)):
                found.add(name_of(start))
    return found - {name_of(path)}


def circle(graph: dict[str, set[str]]) -> list[str]:
    """A way from a node back to itself, or nothing if there is none."""
    done: set[str] = set()
    way: list[str] = []

    def visit(node: str) -> list[str]:
        if node in way:
            return [*way[way.index(node) :], node]
        if node in done:
            return []
        way.append(node)
        for other in sorted(graph.get(node, ())):
            if found := visit(other):
                return found
        done.add(way.pop())
        return []

    for node in sorted(graph):
        if found := visit(node):
            return found
    return []


def _imported_names(path: Path) -> Iterator[tuple[str, ...]]:
    """Every imported name of the package below `got_ocr2`, such as `("modeling", "model", "GotOcr2Model")`."""
    package = ("got_ocr2", *path.relative_to(ROOT).parts[:-1])
    for node in imports_and_calls(path):
        names: list[tuple[str, ...]] = []
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            target = (*base, *(node.module.split(".") if node.module else ()))
            names = [(*target, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "import_module" and node.args:
            called = getattr(node.args[0], "value", "")
            if isinstance(called, str) and called.startswith("."):
                names = [(*package, *called.removeprefix(".").split("."))]
            elif isinstance(called, str):
                names = [tuple(called.split("."))]
        yield from (name[1:] for name in names if name[0] == "got_ocr2" and len(name) > 1)
