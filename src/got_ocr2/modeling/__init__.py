"""The network of GOT-OCR2, one part a file, and the back ends that run it for the engine."""

from .model import GotOcr2ForConditionalGeneration
from .network import GotOcr2Model, GotOcr2Network
from .outputs import CausalLMOutput

load_model = GotOcr2ForConditionalGeneration.from_pretrained

__all__ = [
    "CausalLMOutput",
    "GotOcr2ForConditionalGeneration",
    "GotOcr2Model",
    "GotOcr2Network",
    "load_model",
]
