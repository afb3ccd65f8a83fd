"""What a run reads: inputs as people name them -> sources, one a document, in an order that depends on nothing else."""

from .listing import check_inputs, list_sources
from .opening import content_of
from .sources import Source

__all__ = ["Source", "check_inputs", "content_of", "list_sources"]
