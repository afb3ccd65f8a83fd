"""From logits to ids: options, rules, loops, streamers."""

from .cache import KeyValueCache
from .mixin import GenerationMixin
from .options import GenerationOptions
from .outputs import GenerateOutput, Step
from .stopping import FinishReason
from .streamers import TextIteratorStreamer, TextStreamer

__all__ = [
    "FinishReason",
    "GenerateOutput",
    "GenerationMixin",
    "GenerationOptions",
    "KeyValueCache",
    "Step",
    "TextIteratorStreamer",
    "TextStreamer",
]
