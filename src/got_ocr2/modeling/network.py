"""The network whole: encoder, connector, decoder, head; what every back end steps and every layout is mapped onto.

The tree of parameter names is HF's in-memory one; `checkpoints/` maps every other layout onto it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import GotOcr2Config
from ..generation.cache import KeyValueCache
from .decoder import Decoder
from .vision import VisionEncoder


@dataclass
class CausalLMOutput:
    """What a forward pass gives.

    Attributes:
        loss: scalar fp32 mean cross-entropy, if `labels` were given.
        logits: `(batch, kept positions, vocabulary)`.
        past_key_values: the cache that was filled, if one was used.
        image_hidden_states: `(images, tokens, hidden)`, if pictures were given.
    """

    loss: Tensor | None
    logits: Tensor
    past_key_values: KeyValueCache | None = None
    image_hidden_states: Tensor | None = None


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
        return self.multimodal_projector(x.flatten(2).transpose(1, 2))


class GotOcr2Model(nn.Module):
    """Everything below the head."""

    def __init__(self, config: GotOcr2Config) -> None:
        super().__init__()
        self.vision_tower = VisionEncoder(config.vision_config)
        self.multi_modal_projector = MultiModalProjector(config)
        self.language_model = Decoder(config.text_config)


class GotOcr2Network(nn.Module):
    """A picture and a prompt in, logits over the vocabulary out; every parameter gets a gradient.

    Weights are freshly drawn: normal with each part's `initializer_range`, norms at one, biases at zero.
    """

    def __init__(self, config: GotOcr2Config) -> None:
        super().__init__()
        self.config = config
        self.model = GotOcr2Model(config)
        text = config.text_config
        self.lm_head = nn.Linear(text.hidden_size, text.vocab_size, bias=False)
        self._init_weights()
        self.tie_weights()

    def tie_weights(self) -> None:
        """Makes the head share the embedding matrix, if the config says so. Call it after replacing either."""
        if self.config.tie_word_embeddings:
            self.lm_head.weight = self.model.language_model.embed_tokens.weight

    @property
    def device(self) -> torch.device:
        return self.lm_head.weight.device

    @property
    def dtype(self) -> torch.dtype:
        return self.lm_head.weight.dtype

    def get_image_features(self, pixel_values: Tensor) -> Tensor:
        """`(N, C, H, W)` normalised pixels -> `(N, tokens, hidden)` in the decoder's space.

        Raises:
            ValueError: the pictures are not of the size in the config.
        """
        features = self.model.vision_tower(pixel_values.to(self.device, self.dtype))
        return self.model.multi_modal_projector(features)

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
    ) -> CausalLMOutput:
        """One pass over new positions.

        Args:
            input_ids: int64 `(batch, T)`; exactly one of it and `inputs_embeds` is given.
            pixel_values: `(images, C, H, W)`; their features replace, in order, the image tokens of `input_ids`.
            attention_mask: `(batch, cached + T)`, 0 on padding.
            position_ids: int64 `(batch, T)`; default counts on from the cache.
            past_key_values: cache of the positions before these, filled in place.
            inputs_embeds: `(batch, T, hidden)` instead of `input_ids`; with `pixel_values` the image tokens are
                the rows equal to the image token's embedding, as in HF.
            labels: int64 `(batch, T)`, -100 where no loss is wanted; shifted here, not by the caller.
            use_cache: make a cache if none is given. Default: only when one is given.
            logits_to_keep: last n positions to compute logits for (0 means all), or their indices.

        Raises:
            ValueError: neither or both of `input_ids` and `inputs_embeds`, a number of image tokens that does not
                match the pictures, or labels together with `logits_to_keep`.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give exactly one of input_ids and inputs_embeds.")
        if labels is not None and (isinstance(logits_to_keep, Tensor) or logits_to_keep != 0):
            raise ValueError("labels need the logits of all positions: leave logits_to_keep at 0.")
        embed = self.model.language_model.embed_tokens
        x = embed(input_ids) if inputs_embeds is None else inputs_embeds
        image_hidden_states = None
        if pixel_values is not None:
            image_hidden_states = self.get_image_features(pixel_values)
            x = self._place_images(x, input_ids, image_hidden_states)
        if use_cache and past_key_values is None:
            past_key_values = KeyValueCache()
        hidden = self.model.language_model(x, attention_mask, position_ids, past_key_values)
        if isinstance(logits_to_keep, Tensor):
            hidden = hidden[:, logits_to_keep]
        elif logits_to_keep:
            hidden = hidden[:, -logits_to_keep:]
        logits = self.lm_head(hidden)
        loss = None
        if labels is not None:
            loss = F.cross_entropy(
                logits[:, :-1].flatten(0, 1).float(),
                labels[:, 1:].flatten().to(logits.device),
                ignore_index=-100,
            )
        return CausalLMOutput(loss, logits, past_key_values, image_hidden_states)

    def _place_images(self, x: Tensor, input_ids: Tensor | None, features: Tensor) -> Tensor:
        """Puts image features (images, tokens, hidden) where the image tokens stand in x (batch, T, hidden)."""
        token = self.config.image_token_index
        if input_ids is not None:
            places = input_ids == token
        else:
            places = (x == self.model.language_model.embed_tokens.weight[token]).all(-1)
        expected = features.shape[0] * features.shape[1]
        found = int(places.sum())
        if found != expected:
            raise ValueError(
                f"The prompt holds {found} image tokens, but {features.shape[0]} pictures of "
                f"{features.shape[1]} tokens each need {expected}."
            )
        return x.masked_scatter(places[..., None], features.to(x.dtype))

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
