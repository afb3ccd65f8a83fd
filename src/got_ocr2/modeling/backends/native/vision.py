"""The image encoder and its connector, from torch modules to the native kernels."""

from __future__ import annotations

from ....kernels.linear import PackedLinear
from ....kernels.quantize import Format
from ....kernels.vision import NativeVision, PackedNeck, PackedVisionLayer, join_tables
from ...network import GotOcr2Network
from ...vision import VisionLayer
from .weights import Taker

_NECK_EPS = 1e-6  # as in `vision.Neck`


def pack_vision(model: GotOcr2Network, take: Taker, format: Format, exact: Format) -> NativeVision:
    """Packs the layers in `format`; patches, convolutions and connector, a small part of the work, in `exact`."""
    config = model.config.vision_config
    tower, projector = model.model.vision_tower, model.model.multi_modal_projector
    projection = tower.patch_embed.projection
    bias = None if projection.bias is None else take.tensor(projection, "bias")
    # (hidden, C, patch rows, patch columns) -> (hidden, C * patch rows * patch columns)
    patch = PackedLinear.pack(take.tensor(projection, "weight").flatten(1), bias, exact)
    # (1, rows, columns, hidden) -> (rows * columns, hidden)
    place = None if tower.pos_embed is None else take.vector(tower, "pos_embed").flatten(0, 2)
    layers = [_pack_layer(layer, take, format) for layer in tower.layers if isinstance(layer, VisionLayer)]
    neck = PackedNeck(
        neck1=take.convolution(tower.neck.conv1, exact),
        norm1=take.vector(tower.neck.layer_norm1, "weight"),
        norm1_bias=take.vector(tower.neck.layer_norm1, "bias"),
        neck2=take.convolution(tower.neck.conv2, exact),
        norm2=take.vector(tower.neck.layer_norm2, "weight"),
        norm2_bias=take.vector(tower.neck.layer_norm2, "bias"),
        down1=take.convolution(projector.conv_upsampler1, exact),
        down2=take.convolution(projector.conv_upsampler2, exact),
        connector=take.linear((projector.multimodal_projector,), exact),
    )
    take.finish_layer()
    return NativeVision(
        patch,
        place,
        layers,
        neck,
        image_hw=config.image_hw,
        patch_hw=config.patch_hw,
        heads=config.num_attention_heads,
        eps=config.layer_norm_eps,
        neck_eps=_NECK_EPS,
    )


def _pack_layer(layer: VisionLayer, take: Taker, format: Format) -> PackedVisionLayer:
    attention, mlp = layer.attn, layer.mlp
    rel = None
    if attention.rel_pos_h is not None and attention.rel_pos_w is not None:
        rel = join_tables(take.tensor(attention, "rel_pos_h"), take.tensor(attention, "rel_pos_w"))
    packed = PackedVisionLayer(
        norm1=take.vector(layer.layer_norm1, "weight"),
        norm1_bias=take.vector(layer.layer_norm1, "bias"),
        norm2=take.vector(layer.layer_norm2, "weight"),
        norm2_bias=take.vector(layer.layer_norm2, "bias"),
        qkv=take.linear((attention.qkv,), format),
        out=take.linear((attention.proj,), format),
        up=take.linear((mlp.lin1,), format, epilogue="gelu"),
        down=take.linear((mlp.lin2,), format),
        window=layer.window_size,
        rel=rel,
    )
    take.finish_layer()
    return packed
