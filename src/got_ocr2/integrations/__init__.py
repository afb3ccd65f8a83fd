"""got-ocr2 inside other programs."""
