"""Which parameter is trained by what."""

from __future__ import annotations

from torch import nn
from torch.optim import AdamW, Optimizer

from ..config import StageConfig
from .muon import Muon


def make_optimizers(modules: nn.Module, stage: StageConfig) -> list[Optimizer]:
    """AdamW for everything that learns, or Muon for the matrices inside the layers and AdamW for the rest.

    Muon (Jordan et al. 2024) with updates scaled to AdamW's RMS, so that one learning rate serves both. Norms,
    biases, embeddings and positions get no weight decay.
    """
    matrices, others, flat = [], [], []
    for name, p in modules.named_parameters():
        if not p.requires_grad:
            continue
        if p.ndim == 2 and not any(part in name for part in ("embed_tokens", "lm_head", "rel_pos")):
            matrices.append(p)
        elif p.ndim == 4 and "pos_embed" not in name:
            others.append(p)
        else:
            flat.append(p)
    if not stage.muon:
        others, matrices = others + matrices, []
    groups = [
        {"params": others, "weight_decay": stage.weight_decay},
        {"params": flat, "weight_decay": 0.0},
    ]
    optimizers: list[Optimizer] = [AdamW(groups, lr=stage.learning_rate, betas=(0.9, 0.98))]
    if matrices:
        optimizers.append(Muon(matrices, lr=stage.learning_rate, weight_decay=stage.weight_decay))
    return optimizers
