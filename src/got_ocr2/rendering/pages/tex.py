"""pdflatex, shut in: no shell escape, no file outside its folder, a minute at most."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ...errors import MissingDependencyError, RenderError

SECONDS = 60.0  # that it may take


def has_pdflatex() -> bool:
    """Whether pdflatex is installed."""
    return shutil.which("pdflatex") is not None


def compile_latex(document: str) -> tuple[bytes, str | None]:
    """The PDF of a LaTeX document, and the first complaint if pdflatex had one and went on.

    Raises:
        MissingDependencyError: there is no pdflatex.
        RenderError: it made no PDF, or not in time.
    """
    program = shutil.which("pdflatex")
    if program is None:
        raise MissingDependencyError(
            "engine='latex' needs pdflatex, which comes with TeX Live; engine='html' does without."
        )
    with tempfile.TemporaryDirectory(prefix="got-ocr2-") as folder:
        path = Path(folder, "page.tex")
        path.write_text(document, encoding="utf-8")
        environment = {**os.environ, "openin_any": "p", "openout_any": "p", "shell_escape": "f"}
        command = [program, "-interaction=nonstopmode", "-no-shell-escape", path.name]
        try:
            done = subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as e:
            raise RenderError(f"pdflatex did not end within {SECONDS:g} seconds.") from e
        log = done.stdout.decode("utf-8", "replace")
        complaint = re.search(r"^! ?(.*)", log, re.MULTILINE)
        said = None if complaint is None else " ".join(complaint.group(1).split()).rstrip(".")
        pdf = Path(folder, "page.pdf")
        if not pdf.exists():
            raise RenderError(f"pdflatex made no PDF: {said or 'it gave no reason'}.")
        return pdf.read_bytes(), said
