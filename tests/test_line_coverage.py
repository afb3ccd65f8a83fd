"""The lines that `--line-coverage` counts as run are those that Python's own tracer sees."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from line_coverage import NOTES, LineCoverage, ranges, with_notes

SOURCE = '''\
"""Of a module."""
from __future__ import annotations
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    import nothing
ATTRIBUTE = 1
"""Of an attribute."""
class Things:
    """Of a class."""
    size: int = (
        3
    )
    @property
    def __mangled(self):
        """Of a method."""
        return self.size
    def abstract(self):
        raise NotImplementedError
    def dots(self): ...
def choose(n):
    global ATTRIBUTE
    if n == 0:
        ATTRIBUTE = 2
    elif n == 1:
        return "one"
    else:
        for _ in range(n):
            if n > 90:
                break
        else:
            n += 1
    try:
        [
            int(text)
            for text in ("1", "x")
        ]
    except KeyError:
        n = 5
    except (
        ValueError
    ):
        n = 6
    finally:
        n += 1
    while n < 9:
        n += 1
        continue
    with open(__file__) as file:
        pass
    match n:
        case 1:
            return 1
        case _:
            return [lambda: 3, Things][0]()
async def never():
    await never()
choose(0); choose(2)
'''
ASKED = {
    2, 3, 6, 8, 10, 14, 16, 17, 19, 20, 22, 23, 24, 25, 27, 28, 29, 31, 32, 33, 37, 38, 39, 42, 44, 45, 46, 47, 48, 49,
    50, 51, 52, 53, 54, 55, 56, 57,
}  # fmt: skip


def notes_of(path: Path) -> dict[int, int]:
    tree, lines = with_notes(path.read_bytes(), str(path))
    exec(
        compile(tree, path, "exec", dont_inherit=True), {NOTES: lines, "__name__": "m", "__file__": str(path)}
    )
    return lines


def traced(path: Path) -> set[int]:
    """The lines that a tracer sees, in a process of its own: this one may be traced already."""
    code = (
        "import sys\n"
        "path, seen = sys.argv[1], set()\n"
        "def trace(frame, event, argument):\n"
        "    if frame.f_code.co_filename == path and event == 'line':\n"
        "        seen.add(frame.f_lineno)\n"
        "    return trace\n"
        "code = compile(open(path).read(), path, 'exec')\n"
        "sys.settrace(trace)\n"
        "exec(code, {'__name__': 'm', '__file__': path})\n"
        "sys.settrace(None)\n"
        "print(*seen)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    return set(map(int, done.stdout.split()))


def test_lines_are_those_of_statements_and_run_where_a_tracer_sees_them(tmp_path):
    path = tmp_path / "module.py"
    path.write_text(SOURCE)
    lines = notes_of(path)
    # Texts, what is for type checkers, abstract bodies and dots are not asked for.
    assert set(lines) == ASKED
    ran = {line for line, note in lines.items() if note}
    # A clause counts when it is entered: two are tried in vain, and of one that takes anything the tracer sees nothing.
    assert ran == (traced(path) & ASKED) - {37, 51} | {53}
    assert ASKED - ran == {16, 25, 29, 37, 38, 51, 52, 56}
    assert ranges(sorted(lines), sorted(ASKED - ran)) == "16, 25, 29, 37-38, 51-52, 56"


def test_lines_of_all_processes_are_added_up():
    coverage = LineCoverage()
    coverage.add({"a.py": {1: 1, 2: 0, 3: 0}, "package/cuda/triton_kernels.py": {1: 0}})
    coverage.add({"a.py": {1: 0, 2: 1, 3: 0}, "b.py": {5: 0}})
    assert coverage.percent() == 50
    assert [path for path, _ in coverage.files()] == ["a.py", "b.py"]
