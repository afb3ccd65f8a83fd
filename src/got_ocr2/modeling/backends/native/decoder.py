"""The text decoder with its head, from torch modules to the native kernels."""

from __future__ import annotations

from ....kernels.decoder import NativeDecoder, PackedDecoderLayer
from ....kernels.quantize import Cache, Format
from ...decoder import DecoderLayer
from ...network import GotOcr2Network
from .weights import Taker


def pack_decoder(
    model: GotOcr2Network, take: Taker, format: Format, head_format: Format, cache: Cache
) -> NativeDecoder:
    """Packs the layers in `format` and the head in `head_format`; keys and values are kept in `cache`."""
    text = model.config.text_config
    decoder = model.model.language_model
    if take.consume and model.config.tie_word_embeddings:
        take.tensor(decoder.embed_tokens, "weight")  # the head has the same tensor
    head = take.linear((model.lm_head,), head_format)
    layers: list[PackedDecoderLayer] = []
    for layer in decoder.layers:
        assert isinstance(layer, DecoderLayer)
        attention, mlp = layer.self_attn, layer.mlp
        layers.append(
            PackedDecoderLayer(
                attention_norm=take.vector(layer.input_layernorm, "weight"),
                mlp_norm=take.vector(layer.post_attention_layernorm, "weight"),
                qkv=take.linear((attention.q_proj, attention.k_proj, attention.v_proj), format),
                out=take.linear((attention.o_proj,), format),
                gate_up=take.gate_up(mlp.gate_proj, mlp.up_proj, format),
                down=take.linear((mlp.down_proj,), format),
            )
        )
        take.finish_layer()
    return NativeDecoder(
        layers,
        take.vector(decoder.norm, "weight"),
        head,
        heads=text.num_attention_heads,
        kv_heads=text.num_key_value_heads,
        head_dim=text.head_dim,
        eps=text.rms_norm_eps,
        theta=text.rope_theta,
        cache=cache,
    )
