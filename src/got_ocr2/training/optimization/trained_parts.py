"""Which parts of the network learn, and which of their activations are kept."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from ...modeling import GotOcr2ForConditionalGeneration


def encoder_parts(model: GotOcr2ForConditionalGeneration) -> list[nn.Module]:
    """The image encoder as the paper draws it: ViTDet and the two strided convolutions behind it."""
    connector = model.model.multi_modal_projector
    return [model.model.vision_tower, connector.conv_upsampler1, connector.conv_upsampler2]


def choose_trained(model: GotOcr2ForConditionalGeneration, trained: str) -> None:
    """Lets "all" parameters learn, or those of the "decoder" and the projector alone."""
    model.requires_grad_(True)
    if trained == "decoder":
        for part in encoder_parts(model):
            part.requires_grad_(False)


def layers_of(model: GotOcr2ForConditionalGeneration) -> list[nn.Module]:
    """Every layer of the encoder, then every layer of the decoder."""
    return [*model.model.vision_tower.layers, *model.model.language_model.layers]


def recompute_activations(model: GotOcr2ForConditionalGeneration) -> None:
    """Makes every layer of encoder and decoder compute its activations again on the way back."""
    for layer in layers_of(model):
        _recompute(layer)


def _recompute(layer: nn.Module) -> None:
    plain = layer.forward

    def forward(*inputs: Any) -> Any:
        if not torch.is_grad_enabled():
            return plain(*inputs)
        return checkpoint(plain, *inputs, use_reentrant=False)

    layer.forward = forward


def has_bfloat16(device: torch.device) -> bool:
    """Whether the hardware computes in bf16 rather than imitating it: GPUs that do, x86 with AVX-512 bf16 or AMX.

    An imitation is dozens of times slower than fp32.
    """
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu":
        return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return False
