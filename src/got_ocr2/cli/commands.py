"""Every command of `got-ocr2`, one line each.

The table is all that `got-ocr2 --help` needs: a command's module is imported only when it runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        name: what people type.
        target: "module:name" inside this package, of a function whose parameters are typer options, or of a
            `typer.Typer` with commands of its own. A function returns its exit code, or None for 0.
        help: one line for the list of commands; the function's docstring is the long text.
    """

    name: str
    target: str
    help: str

    def load(self) -> Any:
        """Imports the function or `typer.Typer`."""
        module, _, name = self.target.partition(":")
        return getattr(import_module(f".{module}", __package__), name)


COMMANDS = (
    Command("read", "read:read", "Read the text of pictures, PDFs, folders and addresses."),
    Command(
        "batch", "batch:batch", "Read many documents into shards, with workers, and go on where it ended."
    ),
    Command("render", "render:render", "Write text that was read as HTML, DOCX, SVG, PDF and more."),
    Command("mcp", "mcp:mcp", "Serve the Model Context Protocol, for programs that let models use tools."),
    Command("serve", "serve:serve", "Read over HTTP: OpenAI's and Mistral's addresses, our own, and a page."),
    Command("layout", "layout:layout", "Find the lines of pages, and draw them."),
    Command("convert", "convert:convert", "Write a checkpoint of any layout in Hugging Face's."),
    Command("synth", "synth:app", "Draw training data with its exact truth."),
    Command("train", "train:train", "Train a model from nothing, by a recipe."),
    Command("finetune", "finetune:finetune", "Train a checkpoint further on pages of your own."),
    Command("merge", "finetune:merge", "Add a LoRA adapter to the weights of its model."),
    Command("evaluate", "evaluate:evaluate", "Read a data set and say how well, with a report."),
    Command("bench", "bench:bench", "Measure how fast this machine reads."),
    Command("verify", "verify:verify", "Check the numbers of a model on this machine."),
)
