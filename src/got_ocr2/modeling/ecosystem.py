"""What training libraries ask of a model: `transformers.Trainer`, `peft`, `accelerate`, pipelines.

None of them is imported here. They look for names, which are transformers' (`PreTrainedModel`), and so are the
meanings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ..errors import InvalidOptionError
from ..extras import need
from .network import EMBEDDING, HEAD, GotOcr2Network


class EcosystemNetwork(GotOcr2Network):
    """The network with embeddings, memory for training, and the names that libraries look for.

    Attributes:
        name_or_path: where the model was loaded from; "" for a fresh one.
    """

    main_input_name: ClassVar[str] = "input_ids"
    base_model_prefix: ClassVar[str] = "model"
    input_modalities: ClassVar[tuple[str, ...]] = ("image", "text")
    output_modalities: ClassVar[tuple[str, ...]] = ("text",)
    supports_gradient_checkpointing: ClassVar[bool] = True
    accepts_loss_kwargs: ClassVar[bool] = True  # `forward` divides by `num_items_in_batch`
    is_parallelizable: ClassVar[bool] = False
    _keys_to_ignore_on_save: ClassVar[None] = None
    _tied_weights_keys: ClassVar[Mapping[str, str]] = {HEAD: EMBEDDING}
    _no_split_modules: ClassVar[tuple[str, ...]] = ("VisionLayer", "DecoderLayer")

    name_or_path: str = ""

    # --- embeddings -------------------------------------------------------------------------------------

    def get_input_embeddings(self) -> nn.Embedding:
        return self.model.language_model.embed_tokens

    def set_input_embeddings(self, value: nn.Embedding) -> None:
        """Replaces the embedding; a tied head follows."""
        self.model.language_model.embed_tokens = value
        self.tie_weights()

    def get_output_embeddings(self) -> nn.Linear:
        return self.lm_head

    def set_output_embeddings(self, value: nn.Linear) -> None:
        self.lm_head = value

    def get_decoder(self) -> nn.Module:
        return self.model.language_model

    def resize_token_embeddings(
        self,
        new_num_tokens: int | None = None,
        pad_to_multiple_of: int | None = None,
        mean_resizing: bool = True,
    ) -> nn.Embedding:
        """Makes room for more tokens, or cuts the last ones off, in embedding, head and configuration.

        New rows are drawn from a normal distribution around the mean of the old ones with their (diagonal) deviation,
        or around 0 with `initializer_range` if `mean_resizing` is off.

        Args:
            new_num_tokens: None keeps the number.
            pad_to_multiple_of: rounds it up.

        Raises:
            InvalidOptionError: the image token would be cut off.
        """
        old = self.get_input_embeddings()
        size = old.num_embeddings if new_num_tokens is None else new_num_tokens
        if pad_to_multiple_of:
            size = -(-size // pad_to_multiple_of) * pad_to_multiple_of
        if size == old.num_embeddings:
            return old
        if size <= self.config.image_token_index:
            raise InvalidOptionError(
                f"{size} tokens would leave out the image token, {self.config.image_token_index}."
            )
        new = nn.Embedding(size, old.embedding_dim, device="meta")
        new.weight = self._resized(old.weight, size, mean_resizing)
        head = self.lm_head
        if not self.config.tie_word_embeddings:
            head.weight = self._resized(head.weight, size, mean_resizing)
        head.out_features = size
        self.config.text_config.vocab_size = size
        self.set_input_embeddings(new)
        return new

    def _resized(self, weight: Tensor, size: int, around_mean: bool) -> nn.Parameter:
        old = weight.detach()
        kept = old[:size]
        more = torch.randn(max(0, size - len(old)), old.shape[1], dtype=torch.float32, device=old.device)
        if around_mean:
            more = more * old.float().std(0) + old.float().mean(0)
        else:
            more = more * self.config.text_config.initializer_range
        return nn.Parameter(torch.cat([kept, more.to(old.dtype)]), requires_grad=weight.requires_grad)

    # --- training ---------------------------------------------------------------------------------------

    def gradient_checkpointing_enable(
        self, gradient_checkpointing_kwargs: Mapping[str, Any] | None = None, **others: Any
    ) -> None:
        """Layers of encoder and decoder keep their input only while training, and run again for the gradients.

        Args:
            gradient_checkpointing_kwargs: for `torch.utils.checkpoint.checkpoint`. `use_reentrant` does not count: the
                other way gives the same gradients and needs no input that wants one.
        """
        options = {**(gradient_checkpointing_kwargs or {}), "use_reentrant": False}
        for part in (self.model.vision_tower, self.model.language_model):
            part.recomputing.on, part.recomputing.options = True, options
        self.config.use_cache = False

    def gradient_checkpointing_disable(self) -> None:
        for part in (self.model.vision_tower, self.model.language_model):
            part.recomputing.on = False

    @property
    def is_gradient_checkpointing(self) -> bool:
        return self.model.language_model.recomputing.on

    def enable_input_require_grads(self) -> None:
        """Embeddings ask for gradients, so that adapters behind frozen layers get theirs."""
        self._input_hook = self.get_input_embeddings().register_forward_hook(_require_grad)

    def disable_input_require_grads(self) -> None:
        self._input_hook.remove()

    def add_adapter(self, adapter_config: Any, adapter_name: str = "default") -> None:
        """Freezes the model and puts an adapter of `peft`'s into its layers, in place.

        Raises:
            MissingDependencyError: peft is not installed.
        """
        peft = need("peft", "Adding an adapter", extra="train")
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        peft.inject_adapter_in_model(adapter_config, self, adapter_name)
        if not hasattr(self, "peft_config"):
            self.peft_config: dict[str, Any] = {}
        self.peft_config[adapter_name] = adapter_config

    def num_parameters(self, only_trainable: bool = False, exclude_embeddings: bool = False) -> int:
        """Numbers that the model consists of; a tied matrix counts once."""
        embedding = self.get_input_embeddings().weight
        return sum(
            p.numel()
            for p in self.parameters()
            if not (only_trainable and not p.requires_grad) and not (exclude_embeddings and p is embedding)
        )

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        past_key_values: Any = None,
        attention_mask: Tensor | None = None,
        pixel_values: Tensor | None = None,
        **others: Any,
    ) -> dict[str, Any]:
        """The arguments of the next forward pass of a loop of the caller's; `generate` has its own.

        Args:
            input_ids: `(batch, T)`, the rows so far; those in `past_key_values` are left out.
            past_key_values: a `KeyValueCache`, or None.
            attention_mask: `(batch, T)`, 0 on padding.
            pixel_values: of the prompts; they go with the first pass only.
            **others: passed on.
        """
        past = 0 if past_key_values is None else past_key_values.get_seq_length()
        inputs = {"input_ids": input_ids[:, past:], "past_key_values": past_key_values}
        inputs["attention_mask"] = attention_mask
        if attention_mask is not None:
            inputs["position_ids"] = (attention_mask.long().cumsum(1) - 1).clamp(min=0)[:, past:]
        if past == 0:
            inputs["pixel_values"] = pixel_values
        return {**inputs, **others}

    def can_generate(self) -> bool:
        return True

    @property
    def base_model(self) -> nn.Module:
        """The model below its head."""
        return self.model


def _require_grad(module: nn.Module, inputs: Any, output: Tensor) -> None:
    output.requires_grad_(True)
