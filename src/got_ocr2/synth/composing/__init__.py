"""Tasks made of other kinds: regions, pictures that need patches, documents, nothing to read."""

from .engines import CropEngine, MultiPageEngine, NegativeEngine, RegionEngine

__all__ = ["CropEngine", "MultiPageEngine", "NegativeEngine", "RegionEngine"]
