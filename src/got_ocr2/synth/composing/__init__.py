"""Tasks made of other kinds: regions, pictures that need patches, documents, nothing to read."""

from .documents import MultiPageEngine
from .negatives import NegativeEngine
from .patches import CropEngine
from .regions import RegionEngine

__all__ = ["CropEngine", "MultiPageEngine", "NegativeEngine", "RegionEngine"]
