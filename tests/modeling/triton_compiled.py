"""Compiles every Triton kernel for the GPU architectures named, e.g. `80 90`; no GPU is needed.

Sizes are those of the published model. Prints a line for each kernel: its name, architecture and bytes of spilled
registers.
"""

from __future__ import annotations

import sys

import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource

from got_ocr2.modeling.backends.cuda import triton_kernels

NUMBER = "*bf16"
# Kernel -> types of the arguments that are not compiled in, and values of those that are.
KERNELS: dict[str, tuple[dict[str, str], dict[str, object], int]] = {
    "add_norm_kernel": (
        {"x": NUMBER, "more": NUMBER, "weight": NUMBER, "sum": NUMBER, "out": NUMBER, "size": "i32", "eps": "fp32"},
        {"ADDS": True, "BLOCK": 1024}, 4,
    ),
    "rotate_and_store_kernel": (
        {"qkv": NUMBER, "cos": NUMBER, "sin": NUMBER, "slots": "*i64", "keys": NUMBER, "values": NUMBER,
         "positions": "i32", "heads": "i32", "kv_heads": "i32"},
        {"HEAD": 64, "HALF": 32}, 1,
    ),
    "attend_kernel": (
        {"q": NUMBER, "q_stride": "i32", "keys": NUMBER, "values": NUMBER, "starts": "*i64", "places": "*i64",
         "out": "*fp32", "peaks": "*fp32", "sums": "*fp32", "positions": "i32", "scale": "fp32"},
        {"SPLITS": 16, "GROUP": 1, "HEAD": 64, "WIDTH": 64, "BLOCK": 64}, 4,
    ),
    "join_kernel": (
        {"parts": "*fp32", "peaks": "*fp32", "sums": "*fp32", "out": NUMBER},
        {"SPLITS": 16, "HEAD": 64, "WIDTH": 64}, 1,
    ),
    "relative_attention_kernel": (
        {"q": NUMBER, "k": NUMBER, "v": NUMBER, "terms": NUMBER, "out": NUMBER, "stride": "i32", "heads": "i32",
         "rows": "i32", "columns": "i32", "scale": "fp32"},
        {"HEAD": 64, "WIDTH": 64, "ACROSS": 64, "BLOCK": 64}, 4,
    ),
    "gated_kernel": ({"gate_and_up": NUMBER, "out": NUMBER, "size": "i32"}, {"BLOCK": 1024}, 4),
}  # fmt: skip


def compiled(name: str, capability: int) -> int:
    """Compiles one kernel as a launch would, with aligned memory; returns the bytes of its machine code."""
    types, values, warps = KERNELS[name]
    kernel = getattr(triton_kernels, name)
    own = {f"{key}_ptr" if kind.startswith("*") else key: kind for key, kind in types.items()}
    signature = {arg: own.get(arg, "constexpr") for arg in kernel.arg_names}
    aligned = {
        (kernel.arg_names.index(arg),): [["tt.divisibility", 16]]
        for arg, kind in own.items()
        if kind.startswith("*") or arg in {"size", "stride", "q_stride"}
    }
    source = ASTSource(kernel, signature, values, aligned)
    result = triton.compile(source, target=GPUTarget("cuda", capability, 32), options={"num_warps": warps})
    return len(result.asm["cubin"])


if __name__ == "__main__":
    assert KERNELS.keys() == {name for name in vars(triton_kernels) if name.endswith("_kernel")}
    for capability in map(int, sys.argv[1:]):
        for name in KERNELS:
            print(name, capability, compiled(name, capability))  # noqa: T201
