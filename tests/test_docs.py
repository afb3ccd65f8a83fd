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
FOLDERS = ("benchmarks", "containers", "docs", "examples", "src", "tests", "testsets")
PAGES = sorted([*ROOT.glob("*.md"), *(page for folder in FOLDERS for page in (ROOT / folder).rglob("*.md"))])
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
# Page -> what runs all its `sh` blocks, or heading -> what runs those below it: a test, or .ci/run. A `console` block
# is not run: it needs time, the network, or files of the reader's.
RUN_BY: dict[str, str | dict[str, str]] = {
    "README.md": ".ci/run",
    "docs/reading.md": "tests/cli/test_reading_docs.py",
    "docs/training.md": {
        "### Minutes: the embedded model learns to read meters": "tests/training/test_tutorial.py",
        "## From nothing": ".ci/run",
    },
}
PROGRAMS = "got-ocr2|pip3?|python3?|pytest|make|git|docker|curl|wget|apt-get|npm|ray|kubectl|export"
SHELL = re.compile(rf"^\s*(?:\$ .*|(?:sudo )?(?:{PROGRAMS}) [^=\s].*)$", re.MULTILINE)


def blocks(path: Path, *languages: str) -> list[str]:
    """The fenced blocks of a page in these languages."""
    return [code for language, code in FENCE.findall(path.read_text("utf-8")) if language in languages]


def commands(code: str) -> list[list[str]]:
    """The words of every `got-ocr2` or `python` command of a block; lines that end in a backslash are joined."""
    lines = code.replace("\\\n", " ").splitlines()
    parts = [part for line in lines for part in re.split(r"&&|\|", line)]
    found = [shlex.split(part, comments=True) for part in parts]
    return [words for words in found if words and words[0] in ("got-ocr2", "python")]


def not_run(text: str, run_by: str | dict[str, str] | None) -> list[str]:
    """What a page shows as run and nothing runs, and its shell lines that are marked neither as run nor as not run."""
    found: list[str] = []
    for block in FENCE.finditer(text):
        heading = re.findall(r"^#+ .*", FENCE.sub("", text[: block.start()]), re.MULTILINE)[-1:]
        if block[1] == "sh":
            runner = run_by.get("".join(heading)) if isinstance(run_by, dict) else run_by
            found += [] if runner else [block[2]]
        elif block[1] != "console":
            found += SHELL.findall(block[2])
    outside = FENCE.sub("", text)
    indented = re.findall(r"^(?: {4}|\t)[ \t]*\S.*", outside, re.MULTILINE)
    return found + [line for line in indented if SHELL.match(line)]


@pytest.mark.parametrize("path", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_every_block_says_what_it_is(path):
    text, name = path.read_text("utf-8"), path.relative_to(ROOT).as_posix()
    assert {language for language, _ in FENCE.findall(text)} <= LANGUAGES
    assert not_run(text, RUN_BY.get(name)) == [], "mark these console, or name in RUN_BY what runs them"


def test_what_is_said_to_run_the_blocks_knows_the_page_and_the_heading():
    for page, runners in RUN_BY.items():
        for heading, runner in runners.items() if isinstance(runners, dict) else [("", runners)]:
            code = (ROOT / runner).read_text("utf-8")
            assert Path(page).name in code
            assert heading.partition(":")[0] in code
            assert f"\n{heading}\n" in f"\n{(ROOT / page).read_text('utf-8')}" or not heading


@pytest.mark.parametrize(
    "page",
    [
        "## A\n```sh\ngot-ocr2 read a.png\n```\n",
        "## A\n```sh\nls\n```\n## B\n```sh\npip install x\n```\n",
        "## B\n```\ngot-ocr2 read a.png\n```\n",
        "## B\n```text\n$ ls\n```\n",
        "## B\n\n    pip install x\n",
    ],
)
def test_a_new_line_that_nothing_runs_is_seen(page):
    assert not_run(page, {"## B": "somebody"})
    assert not not_run(
        "## B\n```sh\nls\n```\n```console\nmake\n```\n```\nmake = 1\n```\n", {"## B": "somebody"}
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
