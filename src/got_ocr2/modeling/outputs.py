"""What forward passes give: named, by number, or as a tuple, as in transformers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor


class ModelOutput(dict[str, Any]):
    """A dict whose entries are attributes too, and can be taken by number; what was not computed is not in it.

    As a dict it goes through `torch.nn.DataParallel`, `accelerate` and `torch.compile` whole. Reading the name of
    something that was not computed gives None.
    """

    names: ClassVar[tuple[str, ...]] = ()

    def __getattr__(self, name: str) -> Any:
        if name in type(self).names:
            return self.get(name)
        raise AttributeError(f"{type(self).__name__} has {', '.join(type(self).names)}, not {name!r}")

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(key) if isinstance(key, str) else self.to_tuple()[key]

    def to_tuple(self) -> tuple[Any, ...]:
        """What was computed, in the order of `names`."""
        return tuple(self.values())


class CausalLMOutput(ModelOutput):
    """What the whole model gives.

    Attributes:
        loss: scalar fp32 cross-entropy, if `labels` were given.
        logits: `(batch, kept positions, vocabulary)`.
        past_key_values: the cache that was filled, if one was used.
        hidden_states: if asked for, `(batch, T, hidden)` before the first decoder layer and after each; the last one
            after the final norm.
        attentions: if asked for, `(batch, heads, T, cached + T)` for each decoder layer.
        image_hidden_states: `(images, tokens, hidden)`, if pictures were given.
    """

    names = ("loss", "logits", "past_key_values", "hidden_states", "attentions", "image_hidden_states")


class DecoderOutput(ModelOutput):
    """What the model below its head gives: `last_hidden_state` `(batch, T, hidden)`; the rest as `CausalLMOutput`."""

    names = ("last_hidden_state", "past_key_values", "hidden_states", "attentions", "image_hidden_states")


class ImageFeatures(ModelOutput):
    """Encoded pictures.

    Attributes:
        last_hidden_state: `(images, channels, rows, columns)`, from the encoder's neck.
        pooler_output: `(images, tokens, hidden)` in the decoder's space.
    """

    names = ("last_hidden_state", "pooler_output")


@dataclass
class Trace:
    """What a pass through the decoder leaves behind, if it is asked to."""

    hidden_states: list[Tensor] | None = None
    attentions: list[Tensor] | None = None

    @classmethod
    def of(cls, hidden_states: bool, attentions: bool) -> Trace | None:
        """One for what is wanted; None if nothing is."""
        if not hidden_states and not attentions:
            return None
        return cls([] if hidden_states else None, [] if attentions else None)

    def named(self) -> dict[str, tuple[Tensor, ...]]:
        """The entries of a `ModelOutput`."""
        found = {"hidden_states": self.hidden_states, "attentions": self.attentions}
        return {name: tuple(values) for name, values in found.items() if values is not None}
