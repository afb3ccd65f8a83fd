"""The back ends there are, and the best one for a model and its device."""

from __future__ import annotations

from typing import Literal, get_args

import torch

from ... import kernels as native_kernels
from ...errors import InvalidOptionError
from ...generation.engine.runner import Runner
from ..network import GotOcr2Network
from .torch_runner import TorchRunner

Kernels = Literal["auto", "native", "torch"]
Quantization = Literal["int8", "int4"]
KvCache = Literal["auto", "fp32", "bf16", "int8"]
_FAST_IN_16_BITS = ("avx2", "avx512")  # instruction sets that multiply 16 bits faster than fp32


def choose_runner(
    model: GotOcr2Network,
    kernels: Kernels = "auto",
    quantization: Quantization | None = None,
    *,
    kv_cache: KvCache = "auto",
    consume: bool = False,
    lines: bool = False,
) -> Runner:
    """Makes the back end for a loaded model.

    Args:
        model: on its device, in its dtype.
        kernels: "native" is the compiled code of this package on a CPU, which computes in fp32 whatever the model
            is stored in, and recorded steps on CUDA; "torch" runs the model as it is; "auto" is native where that
            is possible.
        quantization: "int8" or "int4" for the decoder's weights on a CPU; None keeps the model's numbers exactly, but
            for `lines`.
        kv_cache: how the compiled kernels on a CPU store keys and values: "auto" is fp32, and bf16 beside quantised
            weights. Anything below fp32 changes the numbers a little.
        consume: the model will not be used otherwise: packed weights may take the place of its own.
        lines: the model is a small one that reads lines: the compiled kernels compute it with weights of 16 bits and
            inputs of 13, on processors that multiply these faster than fp32.

    Raises:
        InvalidOptionError: an unknown name, or something that cannot be had on this device.
    """
    check_names(kernels, quantization, kv_cache)
    device = model.device
    if device.type == "cuda" and quantization is not None:
        raise InvalidOptionError(f"quantization={quantization!r} is for CPUs, but the model is on {device}.")
    if device.type == "cuda" and kv_cache != "auto":
        raise InvalidOptionError(f"kv_cache={kv_cache!r} is for CPUs, but the model is on {device}.")
    if kernels == "torch":
        return TorchRunner(model)
    if device.type == "cuda" and has_native_activations(model):
        from .cuda.runner import CudaRunner

        return CudaRunner(model)
    why_not = why_not_native(model)
    if why_not is None:
        from .native.runner import NativeRunner

        in_16_bits = lines and quantization is None and native_kernels.instruction_set() in _FAST_IN_16_BITS
        weights = "int16" if in_16_bits else quantization or "auto"
        return NativeRunner(model, weights=weights, cache=kv_cache, consume=consume)
    asked = next(
        (
            f"{name}={value!r}"
            for name, value, neutral in (
                ("quantization", quantization, None), ("kv_cache", kv_cache, "auto"), ("kernels", kernels, "auto"),
            )
            if value != neutral
        ),
        None,
    )  # fmt: skip
    if asked is not None:
        raise InvalidOptionError(f"{asked} needs the compiled kernels, which cannot be used here: {why_not}.")
    return TorchRunner(model)


def check_names(kernels: str, quantization: str | None, kv_cache: str = "auto") -> None:
    """Refuses unknown names and combinations, before a model is loaded."""
    if kernels not in get_args(Kernels):
        raise InvalidOptionError(f'kernels is "auto", "native" or "torch", got {kernels!r}.')
    if quantization is not None and quantization not in get_args(Quantization):
        raise InvalidOptionError(f'quantization is "int8", "int4" or None, got {quantization!r}.')
    if kv_cache not in get_args(KvCache):
        raise InvalidOptionError(f'kv_cache is "auto", "fp32", "bf16" or "int8", got {kv_cache!r}.')
    if kv_cache != "auto" and kernels == "torch":
        raise InvalidOptionError(f'kv_cache={kv_cache!r} needs the native kernels, not kernels="torch".')
    if quantization is not None and kernels == "torch":
        raise InvalidOptionError(
            f'quantization={quantization!r} needs the native kernels, not kernels="torch".'
        )


def why_not_native(model: GotOcr2Network) -> str | None:
    """Why the compiled kernels cannot run a model where it is, as the end of a sentence; None if they can."""
    if model.device.type != "cpu":
        return f"they are for CPUs, and the model is on {model.device.type}"
    if model.dtype not in (torch.float32, torch.bfloat16):
        name = str(model.dtype).removeprefix("torch.")
        return f"they take models in float32 or bfloat16, and this one is in {name}"
    if not has_native_activations(model):
        return 'they know the activations "gelu" (encoder) and "silu" (decoder) only'
    return native_kernels.why_not()


def has_native_activations(model: GotOcr2Network) -> bool:
    """Whether a model has GOT's own activations, which are part of the fast back ends."""
    return (model.config.vision_config.hidden_act, model.config.text_config.hidden_act) == ("gelu", "silu")
