"""Prints the shell lines of a Markdown file: those of its ```sh blocks, in order.

A block that needs something a bare machine lacks (the published weights, a file of the reader's own) is fenced
as ```console and is not run.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

blocks = re.findall(
    r"^```sh\n(.*?)^```", Path(sys.argv[1]).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
if not blocks:
    sys.exit(f"{sys.argv[1]} has no ```sh block.")
sys.stdout.write("".join(blocks))
