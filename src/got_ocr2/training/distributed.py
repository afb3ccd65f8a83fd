"""One process or several: the few things that processes of a run do together.

`torchrun --nproc-per-node N -m got_ocr2 train ...` starts N of them and tells each, in its environment, who it is.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import Tensor, nn

from ..errors import InvalidOptionError


@dataclass(frozen=True)
class Group:
    """This process among those of the run.

    Attributes:
        rank: its number, from 0.
        size: how many there are.
        device: where it computes.
    """

    rank: int = 0
    size: int = 1
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes files and speaks."""
        return self.rank == 0

    def sum(self, values: Tensor) -> Tensor:
        """The sum over all processes, in each of them; a copy."""
        values = values.clone().to(self.device)
        if self.size > 1:
            dist.all_reduce(values)
        return values

    def wait(self) -> None:
        """Returns when all processes have come here."""
        if self.size > 1:
            dist.barrier()

    def close(self) -> None:
        """Leaves the group."""
        if self.size > 1:
            dist.destroy_process_group()


def with_plain_strides(module: nn.Module) -> None:
    """Makes the gradients of 1x1 convolutions lie in memory as `DistributedDataParallel` lays out its buckets.

    Both orders of their last two dimensions, of length 1, describe the same bytes; DDP compares the strides themselves,
    warns, and copies.
    """
    for p in module.parameters():
        if p.requires_grad and p.ndim == 4 and p.shape[2:] == (1, 1):
            p.register_hook(lambda gradient: gradient.flatten().view(gradient.shape))


def join(device: str = "auto", environment: Mapping[str, str] = os.environ) -> Group:
    """Joins the run that torchrun started, if it did.

    Args:
        device: "auto" takes CUDA where there is one; each process of a machine gets a GPU of its own.
        environment: where torchrun's `RANK`, `WORLD_SIZE` and `LOCAL_RANK` stand.

    Raises:
        InvalidOptionError: more processes than GPUs, or a device that is not there.
    """
    kind = device
    if device == "auto":
        kind = "cuda" if torch.cuda.is_available() else "cpu"
    if kind.startswith("cuda") and not torch.cuda.is_available():
        raise InvalidOptionError(f"The device {device!r} is not there: torch finds no CUDA.")
    size = int(environment.get("WORLD_SIZE", "1"))
    if size == 1:
        return Group(device=torch.device(kind))
    local = int(environment.get("LOCAL_RANK", "0"))
    if kind.startswith("cuda"):
        if local >= torch.cuda.device_count():
            raise InvalidOptionError(
                f"Process {local} of this machine has no GPU: there are {torch.cuda.device_count()}."
            )
        kind = f"cuda:{local}"
        torch.cuda.set_device(local)
    dist.init_process_group("nccl" if kind.startswith("cuda") else "gloo")
    return Group(dist.get_rank(), size, torch.device(kind))
