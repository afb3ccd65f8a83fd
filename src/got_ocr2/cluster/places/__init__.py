"""Where an output lies: a folder, or a prefix of an object store. Both hold whole files under names with / in them."""

from .objects import SCHEMES
from .opening import open_place
from .place import Lock, Place

__all__ = ["SCHEMES", "Lock", "Place", "open_place"]
