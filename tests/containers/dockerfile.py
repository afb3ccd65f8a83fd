"""The instructions of a Dockerfile, one after another; no more of its language than ours uses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name in capitals, and its words as they stand."""

    name: str
    words: str

    @property
    def command(self) -> list[str]:
        """The words of the form with brackets, as HEALTHCHECK, ENTRYPOINT and CMD have it."""
        return json.loads(self.words[self.words.index("[") :])


def stages(path: Path) -> list[list[Instruction]]:
    """The stages, each from its FROM on; comments are left out, lines that end in a backslash are joined."""
    text = re.sub(r"^#.*\n", "", path.read_text("utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    found: list[list[Instruction]] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        name, _, words = line.partition(" ")
        if name.upper() == "FROM":
            found.append([])
        found[-1].append(Instruction(name.upper(), " ".join(words.split())))
    return found
