"""The text decoder: a Qwen2 stack (HF `Qwen2Model`). Parameter names equal HF's."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..config import GotOcr2TextConfig
from ..generation.cache import Cache, attend, causal_mask


class RMSNorm(nn.Module):
    """Root-mean-square norm, computed in fp32 and cast back before the weight, as in Qwen2."""

    def __init__(self, size: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        wide = x.float()
        wide = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * wide.to(x.dtype)


def rotary_tables(
    position_ids: Tensor, head_dim: int, theta: float, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary embedding, computed in fp32.

    Args:
        position_ids: `(batch, T)` int64.

    Returns:
        Two of `(batch, 1, T, head_dim)` in `dtype`.
    """
    exponents = torch.arange(0, head_dim, 2, dtype=torch.int64, device=position_ids.device).float() / head_dim
    angles = position_ids[:, None, :, None].float() * (1.0 / theta**exponents)
    angles = torch.cat([angles, angles], dim=-1)
    return angles.cos().to(dtype), angles.sin().to(dtype)


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Applies the rotary embedding to `(batch, heads, T, head_dim)`, halves paired as in Llama."""
    a, b = x.chunk(2, dim=-1)
    return x * cos + torch.cat([-b, a], dim=-1) * sin


class DecoderAttention(nn.Module):
    def __init__(self, config: GotOcr2TextConfig, layer: int) -> None:
        super().__init__()
        self.layer = layer
        self.head_dim = config.head_dim
        q_size = config.num_attention_heads * config.head_dim
        kv_size = config.num_key_value_heads * config.head_dim
        self.q_proj = nn.Linear(config.hidden_size, q_size, bias=True)
        self.k_proj = nn.Linear(config.hidden_size, kv_size, bias=True)
        self.v_proj = nn.Linear(config.hidden_size, kv_size, bias=True)
        self.o_proj = nn.Linear(q_size, config.hidden_size, bias=False)
        self.dropout = config.attention_dropout

    def forward(
        self, x: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None, cache: Cache | None
    ) -> Tensor:
        """`(batch, T, hidden)` -> the same shape; `mask` as `generation.cache.causal_mask` makes it."""
        b, t, _ = x.shape
        q, k, v = (
            p(x).view(b, t, -1, self.head_dim).transpose(1, 2)  # (batch, heads, T, head_dim)
            for p in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(q, *rotary), rotate(k, *rotary)
        if cache is None:
            out = attend(q, k, v, mask, dropout=self.dropout if self.training else 0.0)
        else:
            out = cache.attend(self.layer, q, k, v, mask)
        return self.o_proj(out.transpose(1, 2).reshape(b, t, -1))


class DecoderMLP(nn.Module):
    """SwiGLU."""

    def __init__(self, config: GotOcr2TextConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    def __init__(self, config: GotOcr2TextConfig, layer: int) -> None:
        super().__init__()
        self.self_attn = DecoderAttention(config, layer)
        self.mlp = DecoderMLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(
        self, x: Tensor, rotary: tuple[Tensor, Tensor], mask: Tensor | None, cache: Cache | None
    ) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rotary, mask, cache)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Token embeddings, decoder layers, final norm."""

    def __init__(self, config: GotOcr2TextConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(DecoderLayer(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Cache | None = None,
    ) -> Tensor:
        """Runs new positions through the stack, after those in the cache.

        Args:
            inputs_embeds: `(batch, T, hidden)`.
            attention_mask: `(batch, cached + T)`, 0 on padding.
            position_ids: `(batch, T)`; default continues from the cache.
            cache: filled in place.

        Returns:
            `(batch, T, hidden)`, after the final norm.
        """
        b, t, _ = inputs_embeds.shape
        past = cache.get_seq_length() if cache is not None else 0
        if position_ids is None:
            position_ids = torch.arange(past, past + t, device=inputs_embeds.device).expand(b, t)
        rotary = rotary_tables(
            position_ids, self.config.head_dim, self.config.rope_theta, inputs_embeds.dtype
        )
        mask = causal_mask(t, past + t, attention_mask, inputs_embeds.device)
        x = inputs_embeds
        for layer in self.layers:
            x = layer(x, rotary, mask, cache)
        return self.norm(x)
