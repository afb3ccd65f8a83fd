"""Geometric figures: TikZ, mended where that is certain, drawn by tikra or by pdflatex."""
