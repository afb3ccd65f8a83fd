"""The network whole: encoder, connector, decoder, head; what every back end steps and every layout is mapped onto.

The tree of parameter names is HF's in-memory one; `checkpoints/` maps every other layout onto it.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import GotOcr2Config
from ..generation.cache import KeyValueCache
from .decoder import Decoder
from .outputs import CausalLMOutput, DecoderOutput, ImageFeatures, Trace
from .vision import VisionEncoder

HEAD = "lm_head.weight"
EMBEDDING = "model.language_model.embed_tokens.weight"


class MultiModalProjector(nn.Module):
    """Two stride-2 convolutions and a linear layer, nothing between them: 64 x 64 patches -> 256 tokens.

    The names say "upsampler" because HF's do; both convolutions halve the grid.
    """

    def __init__(self, config: GotOcr2Config) -> None:
        super().__init__()
        channels, hidden = config.vision_config.output_channels, config.text_config.hidden_size
        self.conv_upsampler1 = nn.Conv2d(
            channels, 2 * channels, kernel_size=3, stride=2, padding=1, bias=False
        )
        self.conv_upsampler2 = nn.Conv2d(2 * channels, hidden, kernel_size=3, stride=2, padding=1, bias=False)
        self.multimodal_projector = nn.Linear(hidden, hidden)

    def forward(self, features: Tensor) -> Tensor:
        """`(N, channels, rows, columns)` -> `(N, rows / 4 * columns / 4, hidden)`, row by row."""
        x = self.conv_upsampler2(self.conv_upsampler1(features))
        # (N, hidden, rows / 4, columns / 4) -> (N, rows / 4 * columns / 4, hidden)
        return self.multimodal_projector(x.flatten(2).transpose(1, 2))


class GotOcr2Model(nn.Module):
    """Everything below the head: pictures and a prompt in, hidden states out."""

    def __init__(self, config: GotOcr2Config) -> None:
        super().__init__()
        self.config = config
        self.vision_tower = VisionEncoder(config.vision_config)
        self.multi_modal_projector = MultiModalProjector(config)
        self.language_model = Decoder(config.text_config)

    @property
    def device(self) -> torch.device:
        return self.language_model.embed_tokens.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.language_model.embed_tokens.weight.dtype

    def encode_pictures(self, pixel_values: Tensor) -> Tensor:
        """`(N, C, H, W)` normalised pixels -> `(N, tokens, hidden)` in the decoder's space.

        Raises:
            ValueError: the pictures are not of the size in the config.
        """
        return self.multi_modal_projector(self.vision_tower(pixel_values.to(self.device, self.dtype)))

    def get_image_features(self, pixel_values: Tensor, return_dict: bool = True, **others: Any) -> Any:
        """`encode_pictures`, with what the encoder gave: an `ImageFeatures`, or a tuple without `return_dict`."""
        features = self.vision_tower(pixel_values.to(self.device, self.dtype))
        found = ImageFeatures(last_hidden_state=features, pooler_output=self.multi_modal_projector(features))
        return found if return_dict else found.to_tuple()

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
    ) -> Any:
        """One pass over new positions; arguments and errors are those of `GotOcr2Network.forward`.

        Returns:
            A `DecoderOutput`, or a tuple with `return_dict=False`.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give exactly one of input_ids and inputs_embeds.")
        x = self.language_model.embed_tokens(input_ids) if inputs_embeds is None else inputs_embeds
        found: dict[str, Any] = {}
        images = None
        if pixel_values is not None:
            images = self.encode_pictures(pixel_values)
            x = self._place_images(x, input_ids, images)
        if use_cache and past_key_values is None:
            past_key_values = KeyValueCache()
        trace = Trace.of(bool(output_hidden_states), bool(output_attentions))
        found["last_hidden_state"] = self.language_model(
            x, attention_mask, position_ids, past_key_values, trace
        )
        if past_key_values is not None:
            found["past_key_values"] = past_key_values
        found.update({} if trace is None else trace.named())
        if images is not None:
            found["image_hidden_states"] = images
        output = DecoderOutput(found)
        return output.to_tuple() if return_dict is False else output

    def _place_images(self, x: Tensor, input_ids: Tensor | None, features: Tensor) -> Tensor:
        """Puts image features (images, tokens, hidden) where the image tokens stand in x (batch, T, hidden)."""
        token = self.config.image_token_index
        if input_ids is not None:
            places = input_ids == token
        else:
            places = (x == self.language_model.embed_tokens.weight[token]).all(-1)
        if (
            not torch.compiler.is_compiling()
        ):  # counting would break the graph; masked_scatter still refuses too few
            expected = features.shape[0] * features.shape[1]
            found = int(places.sum())
            if found != expected:
                raise ValueError(
                    f"The prompt holds {found} image tokens, but {features.shape[0]} pictures of "
                    f"{features.shape[1]} tokens each need {expected}."
                )
        return x.masked_scatter(places[..., None], features.to(x.dtype))


class GotOcr2Network(nn.Module):
    """A picture and a prompt in, logits over the vocabulary out; every parameter gets a gradient.

    Weights are freshly drawn: normal with each part's `initializer_range`, norms at one, biases at zero.
    """

    def __init__(self, config: GotOcr2Config) -> None:
        super().__init__()
        self.register_state_dict_post_hook(_leave_tied_head_out)  # pyright: ignore[reportUnknownMemberType]
        self.register_load_state_dict_pre_hook(_put_tied_head_in)  # pyright: ignore[reportUnknownMemberType]
        self.config = config
        self.model = GotOcr2Model(config)
        text = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self._init_weights()
        self.tie_weights()

    @property
    def device(self) -> torch.device:
        return self.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.lm_head.weight.dtype

    def tie_weights(self, **kept: Any) -> None:
        """Makes the head share the embedding matrix, if the config says so. Call it after replacing either."""
        if self.config.tie_word_embeddings:
            self.lm_head.weight = self.model.language_model.embed_tokens.weight

    def encode_pictures(self, pixel_values: Tensor) -> Tensor:
        """`GotOcr2Model.encode_pictures`."""
        return self.model.encode_pictures(pixel_values)

    def get_image_features(self, pixel_values: Tensor, return_dict: bool = True, **others: Any) -> Any:
        """`GotOcr2Model.get_image_features`."""
        return self.model.get_image_features(pixel_values, return_dict, **others)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: KeyValueCache | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        num_items_in_batch: int | Tensor | None = None,
        cache: KeyValueCache | None = None,
    ) -> Any:
        """One pass over new positions.

        Args:
            input_ids: int64 `(batch, T)`; exactly one of it and `inputs_embeds` is given.
            pixel_values: `(images, C, H, W)`; their features replace, in order, the image tokens of `input_ids`.
            attention_mask: `(batch, cached + T)`, 0 on padding.
            position_ids: int64 `(batch, T)`; default counts on from the cache.
            past_key_values: cache of the positions before these, filled in place; `cache` is the same.
            inputs_embeds: `(batch, T, hidden)` instead of `input_ids`; with `pixel_values` the image tokens are
                the rows equal to the image token's embedding, as in HF.
            labels: int64 `(batch, T)`, -100 where no loss is wanted; shifted here, not by the caller.
            use_cache: make a cache if none is given. Default: only when one is given.
            logits_to_keep: last n positions to compute logits for (0 means all), or their indices.
            output_attentions, output_hidden_states: keep them; see `CausalLMOutput`. Slow and large.
            return_dict: False for a tuple.
            num_items_in_batch: labels in the whole (accumulated) batch: the loss is the sum over this number instead
                of the mean. `transformers.Trainer` passes it.

        Returns:
            A `CausalLMOutput`, or a tuple with `return_dict=False`.

        Raises:
            ValueError: neither or both of `input_ids` and `inputs_embeds`, a number of image tokens that does not
                match the pictures, or labels together with `logits_to_keep`.
        """
        if labels is not None and (isinstance(logits_to_keep, Tensor) or logits_to_keep != 0):
            raise ValueError("labels need the logits of all positions: leave logits_to_keep at 0.")
        below = self.model(
            input_ids, pixel_values, attention_mask, position_ids,
            cache if past_key_values is None else past_key_values,
            inputs_embeds, use_cache, output_attentions, output_hidden_states,
        )  # fmt: skip
        hidden = below.pop("last_hidden_state")
        if isinstance(logits_to_keep, Tensor):
            hidden = hidden[:, logits_to_keep]
        elif logits_to_keep:
            hidden = hidden[:, -logits_to_keep:]
        logits = self.lm_head(hidden)
        found = {} if labels is None else {"loss": causal_loss(logits, labels, num_items_in_batch)}
        output = CausalLMOutput({**found, "logits": logits, **below})
        return output.to_tuple() if return_dict is False else output

    def _init_weights(self) -> None:
        vision, text = self.config.vision_config, self.config.text_config
        tower = self.model.vision_tower
        for part, std in ((self, text.initializer_range), (tower, vision.initializer_range)):
            for module in part.modules():
                if isinstance(module, (nn.Linear, nn.Conv2d, nn.Embedding)):
                    nn.init.normal_(module.weight, std=std)
                if isinstance(module, (nn.Linear, nn.Conv2d)) and module.bias is not None:
                    nn.init.zeros_(module.bias)
        if tower.pos_embed is not None:
            nn.init.normal_(tower.pos_embed, std=vision.initializer_range)


def causal_loss(logits: Tensor, labels: Tensor, items: int | Tensor | None = None) -> Tensor:
    """Cross-entropy of each next token in fp32: `(batch, T, vocabulary)`, `(batch, T)` -> a scalar.

    Args:
        labels: not shifted; -100 does not count.
        items: the sum is divided by this; None takes the mean.
    """
    total = F.cross_entropy(
        logits[:, :-1].flatten(0, 1).float(),  # (batch * (T - 1), vocabulary)
        labels[:, 1:].flatten().to(logits.device),  # (batch * (T - 1),)
        ignore_index=-100,
        reduction="mean" if items is None else "sum",
    )
    if items is None:
        return total
    return total / (items.to(total.device) if isinstance(items, Tensor) else items)


def _leave_tied_head_out(module: GotOcr2Network, state: dict[str, Any], prefix: str, metadata: Any) -> None:
    # One matrix under one name: files of safetensors, as Trainer writes them, take no matrix twice.
    if module.config.tie_word_embeddings:
        state.pop(prefix + HEAD, None)


def _put_tied_head_in(
    module: GotOcr2Network, state: dict[str, Any], prefix: str, metadata: Any, *others: Any
) -> None:
    if module.config.tie_word_embeddings and prefix + EMBEDDING in state:
        state.setdefault(prefix + HEAD, state[prefix + EMBEDDING])
