"""Figures typeset by pdflatex, where it is installed and asked for.

TeX is a programming language, so it is confined: no shell escape, files only within an empty folder (`openin_any` and
`openout_any` are "paranoid"), limits of time, memory and file size, and no commands in the figure that need any of it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ...errors import MissingDependencyError, RenderError
from .check import Figure

_SECONDS = 30
_MEGABYTES = 1024
_LIBRARIES = {"calc", "angles", "quotes", "arrows", "arrows.meta", "intersections", "patterns", "positioning",
              "shapes.geometric", "decorations.markings", "decorations.pathreplacing", "backgrounds"}  # fmt: skip
_DOCUMENT = r"""\documentclass[tikz,border=2pt]{standalone}
\usepackage{amsmath,amssymb}
\usetikzlibrary{%s}
\begin{document}
%s\end{document}
"""


def pdf_of(figure: Figure) -> bytes:
    """The figure as a PDF of one page as large as it is.

    Raises:
        MissingDependencyError: pdflatex is not installed.
        RenderError: TeX finds an error in the figure, or takes longer than 30 seconds.
    """
    program = shutil.which("pdflatex")
    if program is None:
        raise MissingDependencyError(
            "Drawing with pdflatex needs TeX Live with the packages pgf and standalone."
        )
    asked = {name.strip() for given in figure.libraries for name in given.split(",")}
    libraries = ",".join(sorted(_LIBRARIES & asked | {"calc", "angles", "quotes"}))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "figure.tex").write_text(_DOCUMENT % (libraries, figure.tikz), encoding="utf-8")
        keep = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TEXMFROOT") if name in os.environ}
        environment = {
            **keep, "HOME": folder, "TEXMFHOME": folder, "TEXMFOUTPUT": folder, "openin_any": "p", "openout_any": "p",
            "shell_escape": "f", "max_print_line": "1000",
        }  # fmt: skip
        command = [program, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "figure.tex"]
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        _limit(process.pid)
        try:
            code = process.wait(_SECONDS)
        except subprocess.TimeoutExpired as e:
            process.kill()
            process.wait()
            raise RenderError(f"pdflatex took longer than {_SECONDS} seconds over this figure.") from e
        made = Path(folder) / "figure.pdf"
        if code or not made.is_file():
            raise RenderError(f"pdflatex cannot draw this figure: {_reason(Path(folder) / 'figure.log')}.")
        return made.read_bytes()


def svg_of(pdf: bytes) -> str:
    """A PDF's page as SVG, by pdftocairo of poppler.

    Raises:
        MissingDependencyError: pdftocairo is not installed.
        RenderError: it cannot read the PDF, or takes longer than 30 seconds.
    """
    program = shutil.which("pdftocairo")
    if program is None:
        raise MissingDependencyError(
            "Writing SVG with pdflatex needs pdftocairo, which comes with poppler-utils."
        )
    try:
        done = subprocess.run(
            [program, "-svg", "-", "-"], input=pdf, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as e:
        raise RenderError(f"pdftocairo took longer than {_SECONDS} seconds over this figure.") from e
    if done.returncode:
        raise RenderError("pdftocairo cannot turn what pdflatex wrote into SVG.")
    return done.stdout.decode("utf-8")


def _limit(process: int) -> None:
    """Memory and file size, where the system has such limits for another process."""
    try:
        import resource

        resource.prlimit(process, resource.RLIMIT_AS, (_MEGABYTES * 2**20, _MEGABYTES * 2**20))
        resource.prlimit(process, resource.RLIMIT_FSIZE, (50 * 2**20, 50 * 2**20))
    except (ImportError, AttributeError, ProcessLookupError):
        pass


def _reason(log: Path) -> str:
    """TeX's first complaint."""
    text = log.read_text("utf-8", "replace") if log.is_file() else ""
    found = re.search(r"^! (.*)", text, re.MULTILINE)
    return found.group(1).strip().rstrip(".")[:200] if found else "it ended without a reason"
