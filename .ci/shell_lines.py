"""Prints the shell lines of a Markdown file: those of its ```sh blocks, in order.

    python .ci/shell_lines.py README.md
    python .ci/shell_lines.py docs/training.md "## From nothing"      those below a heading, as far as the next one

A block that needs something a bare machine lacks (the published weights, a file of the reader's own) is fenced
as ```console and is not run.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

page, *headings = sys.argv[1:]
text = Path(page).read_text(encoding="utf-8")
for heading in headings:
    text = re.split(r"^#", text.partition(f"\n{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
if not blocks:
    sys.exit(f"{page} has no ```sh block {' '.join(headings)}".rstrip() + ".")
sys.stdout.write("".join(blocks))
