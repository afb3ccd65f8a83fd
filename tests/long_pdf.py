"""A PDF of very many small pages."""

from __future__ import annotations

from pathlib import Path

import pikepdf


def long_pdf(path: Path, pages: int) -> list[str]:
    """Writes it; the size of every page in pixels at 72 dpi, no two neighbours alike."""
    sizes = [(30 + 7 * number % 61, 24 + 11 * number % 53) for number in range(pages)]
    with pikepdf.new() as pdf:
        for size in sizes:
            page = pdf.add_blank_page(page_size=size)
            page.Contents = pdf.make_stream(b"4 w 5 5 m 25 20 l S")
        pdf.save(path)
    return [f"{width}x{height}" for width, height in sizes]
