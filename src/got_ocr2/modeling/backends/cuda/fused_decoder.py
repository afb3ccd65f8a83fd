"""The decoder for a step of single tokens: the model's numbers with fewer, larger operations."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ...decoder import DecoderLayer, rotary_tables
from ...network import GotOcr2Network
from ..ragged_attention import Arena
from .operations import Operations, Places


@dataclass(frozen=True)
class _Layer:
    """Weights of one layer; those of linear maps are `(output, input)`, without bias unless named."""

    norm: Tensor
    qkv: Tensor  # ((heads + 2 * kv_heads) * head_dim, hidden): q, k, v one after the other
    qkv_bias: Tensor
    out: Tensor
    mlp_norm: Tensor
    gate_and_up: Tensor  # (2 * intermediate, hidden)
    down: Tensor

    @classmethod
    def of(cls, layer: DecoderLayer) -> _Layer:
        attention, mlp = layer.self_attn, layer.mlp
        projections = (attention.q_proj, attention.k_proj, attention.v_proj)
        return cls(
            norm=layer.input_layernorm.weight.detach(),
            qkv=_stacked(p.weight for p in projections),
            qkv_bias=_stacked(p.bias for p in projections),
            out=attention.o_proj.weight.detach(),
            mlp_norm=layer.post_attention_layernorm.weight.detach(),
            gate_and_up=_stacked(p.weight for p in (mlp.gate_proj, mlp.up_proj)),
            down=mlp.down_proj.weight.detach(),
        )


class FusedDecoder:
    """Runs n tokens of any rows through the decoder, each after what its row has stored.

    q, k and v share a matrix, as do gate and up: copies that take 0.43 GB at the published size in bf16. All other
    weights are the model's own. Every number is the sum it is in the model, so ids agree in fp32.
    """

    def __init__(self, model: GotOcr2Network, operations: Operations) -> None:
        decoder = model.model.language_model
        self._config = decoder.config
        self._operations = operations
        self._embedding = decoder.embed_tokens.weight.detach()
        self._layers = [_Layer.of(layer) for layer in decoder.layers if isinstance(layer, DecoderLayer)]
        self._norm = decoder.norm.weight.detach()
        self._head = model.lm_head.weight.detach()

    @property
    def vocabulary(self) -> int:
        """Scores for each token."""
        return self._head.shape[0]

    def rotary(self, positions: int) -> tuple[Tensor, Tensor]:
        """Tables for places `0 .. positions - 1`, `(positions, head_dim)` each."""
        places = torch.arange(positions, device=self._embedding.device)
        c = self._config
        cos, sin = rotary_tables(places[None], c.head_dim, c.rope_theta, self._embedding.dtype)
        return cos[0, 0], sin[0, 0]

    def logits(self, ids: Tensor, places: Places, arena: Arena) -> Tensor:
        """Stores keys and values of the tokens and gives their scores: `(n,)` ids -> `(n, vocabulary)`."""
        ops, eps = self._operations, self._config.rms_norm_eps
        heads = self._config.num_attention_heads + 2 * self._config.num_key_value_heads
        x = F.embedding(ids, self._embedding)
        more: Tensor | None = None
        for layer, keys, values in zip(self._layers, arena.keys.unbind(), arena.values.unbind(), strict=True):
            x, normed = ops.add_norm(x, more, layer.norm, eps)
            # (n, heads of queries, keys and values, head_dim)
            qkv = F.linear(normed, layer.qkv, layer.qkv_bias).view(len(ids), heads, -1)
            q = ops.rotate_and_store(qkv, places, keys, values)
            attended = F.linear(ops.attend(q, places, keys, values), layer.out)
            x, normed = ops.add_norm(x, attended, layer.mlp_norm, eps)
            more = F.linear(ops.gated(F.linear(normed, layer.gate_and_up)), layer.down)
        _, normed = ops.add_norm(x, more, self._norm, eps)
        return F.linear(normed, self._head)


def _stacked(parts: Iterable[nn.Parameter | Tensor]) -> Tensor:
    return torch.cat([part.detach() for part in parts])
