"""The command line. `main` runs it; nothing heavy is imported before a command needs it."""

from .dispatch import main

__all__ = ["main"]
