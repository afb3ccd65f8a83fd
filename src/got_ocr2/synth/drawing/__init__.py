"""Ways to draw that several kinds share: text set by Pillow, pages set by Typst, SVG, surfaces without text."""
