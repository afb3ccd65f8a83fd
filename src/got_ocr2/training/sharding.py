"""Weights, gradients and optimiser states dealt out over the processes of a run (FSDP), and gathered again.

Each process keeps a slice of every parameter, cut along its first dimension, and borrows the others' slices of a
layer while that layer computes. What is written to disk is always whole, so a run may be resumed by any number of
processes, sharded or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor, Replicate, distribute_tensor

from ..errors import InvalidOptionError
from .distributed import Group


def shard(module: nn.Module, layers: Sequence[nn.Module], group: Group) -> None:
    """Deals out a module's parameters, in place.

    Args:
        module: equal in all processes; its `forward` is what is called from now on.
        layers: parts of it that are gathered one at a time; the rest is gathered as one.
        group: the processes.

    Raises:
        InvalidOptionError: there is one process only.
    """
    if group.size < 2:
        raise InvalidOptionError(
            "Sharding needs several processes; start them with: torchrun --nproc-per-node N -m got_ocr2 ..."
        )
    mesh = init_device_mesh(group.device.type, (group.size,))
    for layer in layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(module, mesh=mesh)


def gathered(state: Any) -> Any:
    """A nested state with every dealt-out tensor whole and on the CPU; all processes have to call it."""
    if isinstance(state, DTensor):
        return state.full_tensor().cpu()
    if isinstance(state, Mapping):
        return {key: gathered(value) for key, value in state.items()}
    if isinstance(state, list):
        return [gathered(value) for value in state]
    return state


def whole(value: Tensor) -> Tensor:
    """A tensor as all processes have it together: one that is dealt out is gathered, and all have to call it."""
    return value.full_tensor() if isinstance(value, DTensor) else value


def own_slice(value: Tensor, like: Tensor) -> Tensor:
    """What is whole in all processes, dealt out as `like` is; each keeps its slice, and nothing is sent."""
    if not isinstance(like, DTensor):
        return value
    everywhere = [Replicate()] * like.device_mesh.ndim
    return DTensor.from_local(value, like.device_mesh, everywhere, run_check=False).redistribute(
        like.device_mesh, like.placements
    )


def dealt(value: Tensor, like: Tensor) -> Tensor:
    """A whole tensor, dealt out as `like` is; all processes have to call it with the same one.

    A tensor of another shape, such as an optimiser's count of steps, stays whole.
    """
    if not isinstance(like, DTensor) or value.shape != like.shape:
        return value
    return distribute_tensor(value.to(like.device), like.device_mesh, like.placements)


def dealt_optimizer_state(optimizer: torch.optim.Optimizer, saved: Mapping[str, Any]) -> dict[str, Any]:
    """A whole state of `optimizer`, dealt out as its parameters are."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: Mapping[int, Mapping[str, Any]] = saved["state"]
    return {
        **saved,
        "state": {
            number: {
                name: dealt(value, parameters[number]) if isinstance(value, Tensor) else value
                for name, value in entries.items()
            }
            for number, entries in state.items()
        },
    }
