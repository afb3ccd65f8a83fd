"""`pytest --line-coverage`: which lines of the package the tests run, noted by the lines themselves.

Before Python 3.12 a tracer is called for every line that any library runs, and tests in Python take twice as long.
Here modules of the package alone are compiled with a note before each statement; other code runs at its usual speed.
What runs in processes that tests start is not seen.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Generator, Sequence
from fnmatch import fnmatch
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PACKAGE = "got_ocr2"
NOTES = "__line_notes__"
"""A module's name for its lines, which no class mangles: a dict, 1 for those that have run and 0 for the others."""

FLOOR = 91.0
"""Percentage of lines that have to run: about where the suite stands on a CPU."""

OMITTED = ("*/cuda/triton_*.py",)
"""Files that only a GPU's compiler runs."""

Lines = dict[int, int]


# --- notes in a module's code ---------------------------------------------------------------------------


def _counts(statement: ast.stmt) -> bool:
    """Whether a statement is to run: not one for type checkers alone, an abstract method's body, a text or dots."""
    if isinstance(statement, ast.If):
        return not (isinstance(statement.test, ast.Name) and statement.test.id == "TYPE_CHECKING")
    if isinstance(statement, ast.Raise):
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return not (isinstance(raised, ast.Name) and raised.id == "NotImplementedError")
    constant = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return not (constant or isinstance(statement, (ast.Global, ast.Nonlocal)))


def _note(at: Any) -> ast.stmt:
    """`__line_notes__[line] = 1`, at the place of a node and with its line."""
    place = {name: getattr(at, name) for name in ("lineno", "col_offset", "end_lineno", "end_col_offset")}
    notes = ast.Name(NOTES, ast.Load(), **place)
    target = ast.Subscript(notes, ast.Constant(at.lineno, **place), ast.Store(), **place)
    return ast.Assign([target], ast.Constant(1, **place), None, **place)


def _noted(body: Sequence[ast.stmt], clause: Any, lines: Lines) -> list[ast.stmt]:
    """A block with its notes; those of `clause`, the `except` or `case` that leads to it, and of its blocks too."""
    out: list[ast.stmt] = []
    if clause is not None:
        lines[clause.lineno] = 0
        out.append(_note(clause))
    for statement in body:
        if _counts(statement):
            lines[statement.lineno] = 0
            # A docstring and imports from `__future__` have to be the first.
            if not (isinstance(statement, ast.ImportFrom) and statement.module == "__future__"):
                out.append(_note(statement))
            for inner in (statement, *getattr(statement, "handlers", ()), *getattr(statement, "cases", ())):
                leads = getattr(inner, "pattern", inner) if inner is not statement else None
                for field in ("body", "orelse", "finalbody"):
                    if block := getattr(inner, field, None):
                        setattr(inner, field, _noted(block, leads, lines))
        out.append(statement)
    return out


def with_notes(source: bytes, path: str) -> tuple[ast.Module, Lines]:
    """A module that notes each statement before it runs, and the first lines of all its statements, with 0.

    A clause that is entered by a match (`except`, `case`) is noted when it is entered.
    """
    tree, lines = ast.parse(source, path), {}
    tree.body = _noted(tree.body, None, lines)
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            lines[statement.lineno] = 1
    return tree, lines


class _Loader(SourceFileLoader):
    def __init__(self, fullname: str, path: str, measured: dict[str, Lines]) -> None:
        super().__init__(fullname, path)
        self._measured = measured

    def exec_module(self, module: ModuleType) -> None:
        tree, lines = with_notes(self.get_data(self.path), self.path)
        # A module that is imported anew goes on with what it has.
        vars(module)[NOTES] = self._measured.setdefault(self.path, lines)
        exec(compile(tree, self.path, "exec", dont_inherit=True), vars(module))


class _Finder(MetaPathFinder):
    def __init__(self, measured: dict[str, Lines]) -> None:
        self._measured = measured

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != PACKAGE:
            return None
        found = (other.find_spec(fullname, path, target) for other in sys.meta_path if other is not self)
        spec = next(filter(None, found), None)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path, self._measured)
        return spec


# --- the plugin -----------------------------------------------------------------------------------------


class LineCoverage:
    """Every process that runs tests counts its lines; the first adds all up, reports, and fails below the floor."""

    def __init__(self) -> None:
        self.measured: dict[str, Lines] = {}

    def start(self) -> None:
        """From now on modules are imported with notes."""
        early = [name for name in sys.modules if name.partition(".")[0] == PACKAGE]
        assert not early, f"imported before their lines could be noted: {early}"
        sys.meta_path.insert(0, _Finder(self.measured))

    def add(self, measured: dict[str, Lines]) -> None:
        """Takes over what another process has measured."""
        for path, lines in measured.items():
            known = self.measured.setdefault(path, lines)
            known.update((line, 1) for line, ran in lines.items() if ran)

    def files(self) -> list[tuple[str, Lines]]:
        """Paths in order, and their lines."""
        kept = {path for path in self.measured if not any(fnmatch(path, pattern) for pattern in OMITTED)}
        return [(path, self.measured[path]) for path in sorted(kept)]

    def percent(self) -> float:
        counts = [(sum(lines.values()), len(lines)) for _, lines in self.files()]
        return 100 * sum(ran for ran, _ in counts) / sum(count for _, count in counts)

    def _add_files_without_a_test(self) -> None:
        spec = find_spec(PACKAGE)
        assert spec is not None
        for folder in spec.submodule_search_locations or ():
            for path in Path(folder).rglob("*.py"):
                if str(path) not in self.measured:
                    _, lines = with_notes(path.read_bytes(), str(path))
                    self.measured[str(path)] = dict.fromkeys(lines, 0)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        done = yield
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["lines"] = self.measured
        else:  # every other process has ended by now
            self._add_files_without_a_test()
            session.testsfailed += self.percent() < FLOOR
        return done

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.add(getattr(node, "workeroutput", {}).get("lines", {}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("lines that did not run")
        for path, lines in self.files():
            if missing := sorted(line for line, ran in lines.items() if not ran):
                which = ranges(sorted(lines), missing)
                terminalreporter.write_line(f"{path}: {len(missing)} of {len(lines)}: {which}")
        count = sum(len(lines) for _, lines in self.files())
        terminalreporter.write_line(f"{self.percent():.2f} % of {count} lines ran, and {FLOOR:g} % have to.")


def ranges(lines: Sequence[int], missing: Sequence[int]) -> str:
    """The missing ones of a file's sorted lines as `3-7, 12`; those with no line between them stand together."""
    groups = groupby(lines, key=set(missing).__contains__)
    runs = [list(run) for is_missing, run in groups if is_missing]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--line-coverage", action="store_true", help="note which lines run; fail if they are too few"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("line_coverage"):
        coverage = LineCoverage()
        coverage.start()
        config.pluginmanager.register(coverage, "line-coverage")
