"""From logits to ids: options and rules, the engine that reads many pages at once, streamers."""

from .cache import KeyValueCache
from .engine.engine import Engine
from .engine.requests import Generation, Handle, NewToken, Request
from .mixin import GenerationMixin
from .outputs import GenerateOutput, Step
from .rules.options import GenerationOptions
from .rules.stopping import FinishReason
from .streamers import TextIteratorStreamer, TextStreamer

__all__ = [
    "Engine",
    "FinishReason",
    "GenerateOutput",
    "Generation",
    "GenerationMixin",
    "GenerationOptions",
    "Handle",
    "KeyValueCache",
    "NewToken",
    "Request",
    "Step",
    "TextIteratorStreamer",
    "TextStreamer",
]
