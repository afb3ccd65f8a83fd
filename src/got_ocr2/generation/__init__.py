"""From logits to ids: options and rules, the engine that reads many pages at once, streamers."""

from .cache import KeyValueCache
from .engine import Engine
from .mixin import GenerationMixin
from .options import GenerationOptions
from .outputs import GenerateOutput, Step
from .requests import Generation, Handle, NewToken, Request
from .stopping import FinishReason
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
