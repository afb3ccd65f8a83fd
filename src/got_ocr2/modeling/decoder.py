"""The text decoder: a Qwen2 stack (HF `Qwen2Model`). Parameter names equal HF's."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..config import GotOcr2TextConfig
from ..generation.cache import Cache, KeyValueCache, attend, causal_mask
from .activations import ACTIVATIONS
from .outputs import Trace
from .recomputing import Recomputing


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


def attention_weights(q: Tensor, k: Tensor, mask: Tensor | None) -> Tensor:
    """What `generation.cache.attend` weighs values with: its slow twin, for those who want to see it.

    Args:
        q: `(batch, heads, new, head_dim)`; k: `(batch, kv_heads, total, head_dim)`.
        mask: boolean, or None, as for `attend`.

    Returns:
        `(batch, heads, new, total)`; every row adds up to 1.
    """
    new, total = q.shape[2], k.shape[2]
    k = k.repeat_interleave(q.shape[1] // k.shape[1], dim=1)  # (batch, heads, total, head_dim)
    scores = q @ k.transpose(2, 3) * q.shape[3] ** -0.5  # (batch, heads, new, total)
    if mask is None and new > 1:
        mask = torch.ones((new, total), dtype=torch.bool, device=q.device).tril(total - new)
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    return scores.softmax(-1, dtype=torch.float32).to(q.dtype)


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
        self,
        x: Tensor,
        rotary: tuple[Tensor, Tensor],
        mask: Tensor | None,
        cache: Cache | None,
        trace: Trace | None = None,
    ) -> Tensor:
        """`(batch, T, hidden)` -> the same shape; `mask` as `generation.cache.causal_mask` makes it."""
        b, t, _ = x.shape
        q, k, v = (
            p(x).view(b, t, -1, self.head_dim).transpose(1, 2)  # (batch, heads, T, head_dim)
            for p in (self.q_proj, self.k_proj, self.v_proj)
        )
        q, k = rotate(q, *rotary), rotate(k, *rotary)
        if trace is not None and trace.attentions is not None:
            if isinstance(cache, KeyValueCache):
                k, v = cache.update(self.layer, k, v)
            weights = attention_weights(q, k, mask)
            trace.attentions.append(weights)
            out = weights @ v.repeat_interleave(q.shape[1] // v.shape[1], dim=1)
        elif cache is None:
            out = attend(q, k, v, mask, dropout=self.dropout if self.training else 0.0)
        else:
            out = cache.attend(self.layer, q, k, v, mask)
        return self.o_proj(out.transpose(1, 2).reshape(b, t, -1))  # (batch, T, heads * head_dim) -> hidden


class DecoderMLP(nn.Module):
    """SwiGLU, or the same with another activation."""

    def __init__(self, config: GotOcr2TextConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.up_proj = nn.Linear(config.hidden_size, config.intermediate_size, bias=False)
        self.down_proj = nn.Linear(config.intermediate_size, config.hidden_size, bias=False)
        self.activation = ACTIVATIONS[config.hidden_act]

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(self.activation(self.gate_proj(x)) * self.up_proj(x))


class DecoderLayer(nn.Module):
    def __init__(self, config: GotOcr2TextConfig, layer: int) -> None:
        super().__init__()
        self.self_attn = DecoderAttention(config, layer)
        self.mlp = DecoderMLP(config)
        self.input_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.post_attention_layernorm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def forward(
        self,
        x: Tensor,
        rotary: tuple[Tensor, Tensor],
        mask: Tensor | None,
        cache: Cache | None,
        trace: Trace | None = None,
    ) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rotary, mask, cache, trace)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    """Token embeddings, decoder layers, final norm."""

    def __init__(self, config: GotOcr2TextConfig) -> None:
        super().__init__()
        self.config = config
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.layers = nn.ModuleList(DecoderLayer(config, i) for i in range(config.num_hidden_layers))
        self.norm = RMSNorm(config.hidden_size, config.rms_norm_eps)
        self.recomputing = Recomputing()

    def forward(
        self,
        inputs_embeds: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        cache: Cache | None = None,
        trace: Trace | None = None,
    ) -> Tensor:
        """Runs new positions through the stack, after those in the cache.

        Args:
            inputs_embeds: `(batch, T, hidden)`.
            attention_mask: `(batch, cached + T)`, 0 on padding.
            position_ids: `(batch, T)`; default continues from the cache.
            cache: filled in place.
            trace: filled in place with what it asks for.

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
        wanted = None if trace is None else trace.hidden_states
        for layer in self.layers:
            if wanted is not None:
                wanted.append(x)
            x = self.recomputing(layer, x, rotary, mask, cache, trace)
        x = self.norm(x)
        if wanted is not None:
            wanted.append(x)
        return x
