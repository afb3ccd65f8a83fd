"""Shell lines of the documentation: those marked `sh` are run somewhere, those marked `console` name what exists."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
from pathlib import Path

import pytest
import typer

from got_ocr2.cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("*/*/assets/**/README.md"),
                ROOT / "examples" / "README.md"])  # fmt: skip
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LANGUAGES = {
    "",
    "sh",
    "console",
    "python",
    "json",
    "yaml",
    "toml",
    "xml",
    "html",
    "text",
    "markdown",
    "dockerfile",
}
# Page -> what runs its `sh` blocks: its test, or .ci/run, which has one block of training.md too. A `console` block is
# not run: it needs time, the network, or files of the reader's.
RUN_BY = {
    "README.md": (".ci/run",),
    "docs/reading.md": ("tests/cli/test_reading_docs.py",),
    "docs/training.md": ("tests/training/test_tutorial.py", ".ci/run"),
}


def blocks(path: Path, *languages: str) -> list[str]:
    """The fenced blocks of a page in these languages."""
    return [code for language, code in FENCE.findall(path.read_text("utf-8")) if language in languages]


def commands(code: str) -> list[list[str]]:
    """The words of every `got-ocr2` or `python` command of a block; lines that end in a backslash are joined."""
    lines = code.replace("\\\n", " ").splitlines()
    parts = [part for line in lines for part in re.split(r"&&|\|", line)]
    found = [shlex.split(part, comments=True) for part in parts]
    return [words for words in found if words and words[0] in ("got-ocr2", "python")]


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_block_says_what_it_is(path):
    for language, _ in FENCE.findall(path.read_text("utf-8")):
        assert language in LANGUAGES
    name = path.relative_to(ROOT).as_posix()
    if blocks(path, "sh"):
        assert name in RUN_BY, f"{name} has sh blocks that nothing runs; mark them console."
        for runner in RUN_BY[name]:
            assert path.name in (ROOT / runner).read_text("utf-8")


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_shell_lines_stand_in_blocks(path):
    outside = FENCE.sub("", path.read_text("utf-8"))
    assert (
        re.findall(r"^(?: {4}|\t)+(?:got-ocr2|pip|python|pytest|make|git|docker|curl)\b.*", outside, re.M)
        == []
    )


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_python_is_python_and_its_names_exist(path):
    for code in blocks(path, "python"):
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "got_ocr2":
                module = importlib.import_module(str(node.module))
                assert all(hasattr(module, alias.name) for alias in node.names), code


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_commands_and_their_options_exist(path):
    for code in blocks(path, "sh", "console"):
        for words in commands(code):
            if words[0] == "got-ocr2":
                check_options(words[1:])
            elif words[1].endswith(".py"):
                assert (ROOT / words[1]).is_file(), words[1]


def check_options(words: list[str]) -> None:
    """Refuses a command or an option that `got-ocr2` does not have."""
    known = {command.name: command for command in COMMANDS}
    assert words[0] in known, words
    target = known[words[0]].load()
    if not isinstance(target, typer.Typer):
        app = typer.Typer(add_completion=False)
        app.command()(target)
        target = app
    elif len(words) > 1 and not words[1].startswith("-"):
        words = words[1:]
    command = typer.main.get_command(target)
    if hasattr(command, "commands"):
        command = command.commands[words[0]]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    options |= {"--help", "-h", "--version"}
    for word in words[1:]:
        if word.startswith("-") and word != "-" and not re.fullmatch(r"-\d.*", word):
            assert word.partition("=")[0] in options, f"{' '.join(words)}: no option {word}"


def test_the_smallest_engine_of_the_guide_draws():
    (code,) = [code for code in blocks(ROOT / "docs/synth.md", "python") if "class BlankEngine" in code]
    names: dict[str, type] = {}
    exec(code, names)
    first, again = (names["BlankEngine"]().sample(3, 5) for _ in range(2))
    assert first.image.tobytes() == again.image.tobytes()
    assert first.text == ""
