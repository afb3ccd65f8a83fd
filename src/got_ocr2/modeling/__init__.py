"""The network: `pixel_values` and prompt ids in, logits out."""

from .model import CausalLMOutput, GotOcr2ForConditionalGeneration

__all__ = ["CausalLMOutput", "GotOcr2ForConditionalGeneration"]
