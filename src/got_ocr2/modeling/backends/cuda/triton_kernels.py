# pyright: basic, reportMissingImports=false
# ruff: noqa: N803 (arguments that are compiled in are written in capitals, as everywhere in Triton)
# Triton comes with CUDA builds of torch; where it is missing this file is never imported.
"""The kernels behind `triton_operations`. Arithmetic is fp32 whatever is stored, sums included.

Where the model rounds to its own dtype between two operations, so do the kernels, except that the rotary embedding and
attention are rounded once, at their end. `int64` stands wherever an offset may leave 32 bits: an arena can.
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def add_norm_kernel(
    x_ptr, more_ptr, weight_ptr, sum_ptr, out_ptr, size, eps, ADDS: tl.constexpr, BLOCK: tl.constexpr
):  # fmt: skip
    """One program a token: sum = x + more, out = sum / rms(sum) * weight. Rows are contiguous, `size` long."""
    row = tl.program_id(0).to(tl.int64) * size
    at = tl.arange(0, BLOCK)
    inside = at < size
    x = tl.load(x_ptr + row + at, mask=inside, other=0.0)
    if ADDS:
        more = tl.load(more_ptr + row + at, mask=inside, other=0.0)
        x = (x.to(tl.float32) + more.to(tl.float32)).to(x.dtype)
        tl.store(sum_ptr + row + at, x, mask=inside)
    wide = x.to(tl.float32)
    mean = tl.sum(wide * wide, axis=0) / size
    normed = (wide * tl.rsqrt(mean + eps)).to(x.dtype)
    weight = tl.load(weight_ptr + at, mask=inside, other=0.0)
    tl.store(out_ptr + row + at, (weight.to(tl.float32) * normed.to(tl.float32)).to(x.dtype), mask=inside)


@triton.jit
def rotate_and_store_kernel(
    qkv_ptr, cos_ptr, sin_ptr, slots_ptr, keys_ptr, values_ptr, positions, heads, kv_heads,
    HEAD: tl.constexpr, HALF: tl.constexpr,
):  # fmt: skip
    """One program for each token and head of q, k and v: q is rotated in place, k and v go to the arena.

    Args:
        qkv_ptr: `(n, heads + 2 * kv_heads, HEAD)`.
        cos_ptr, sin_ptr: `(n, HEAD)`, both halves alike.
        keys_ptr, values_ptr: `(kv_heads, positions, HEAD)`.
        HALF: the next power of two of HEAD / 2.
    """
    token, head = tl.program_id(0).to(tl.int64), tl.program_id(1)
    at = tl.arange(0, HALF)
    inside = at < HEAD // 2
    source = qkv_ptr + (token * (heads + 2 * kv_heads) + head) * HEAD + at
    first = tl.load(source, mask=inside, other=0.0)
    second = tl.load(source + HEAD // 2, mask=inside, other=0.0)
    slot = tl.load(slots_ptr + token)
    if head >= heads + kv_heads:
        stored = values_ptr + ((head - heads - kv_heads) * positions + slot) * HEAD + at
        tl.store(stored, first, mask=inside)
        tl.store(stored + HEAD // 2, second, mask=inside)
    else:
        a, b = first.to(tl.float32), second.to(tl.float32)
        cos = tl.load(cos_ptr + token * HEAD + at, mask=inside, other=0.0).to(tl.float32)
        sin = tl.load(sin_ptr + token * HEAD + at, mask=inside, other=0.0).to(tl.float32)
        turned_a, turned_b = (a * cos - b * sin).to(first.dtype), (b * cos + a * sin).to(first.dtype)
        if head < heads:
            tl.store(source, turned_a, mask=inside)
            tl.store(source + HEAD // 2, turned_b, mask=inside)
        else:
            stored = keys_ptr + ((head - heads) * positions + slot) * HEAD + at
            tl.store(stored, turned_a, mask=inside)
            tl.store(stored + HEAD // 2, turned_b, mask=inside)


@triton.jit
def _finite(peak):
    """0 where nothing has been seen, so that peaks of minus infinity give weights of 0, not NaN."""
    return tl.where(peak == -float("inf"), 0.0, peak)


@triton.jit
def attend_kernel(
    q_ptr, q_stride, keys_ptr, values_ptr, starts_ptr, places_ptr, out_ptr, peaks_ptr, sums_ptr,
    positions, scale, SPLITS: tl.constexpr, GROUP: tl.constexpr, HEAD: tl.constexpr, WIDTH: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """One program for each token, head and share of what the token looks back at.

    A share is a contiguous run of positions, read BLOCK at a time. Each of the BLOCK lanes keeps a softmax of its own
    (peak, sum and weighted values, as in flash attention), so that threads need not wait for one another in the loop;
    lanes are joined at its end, shares by `join_kernel`. With one share the result is final.

    Args:
        q_ptr: `(n, heads, HEAD)`, tokens `q_stride` apart.
        out_ptr: `(n, heads, SPLITS, HEAD)`: of the model's dtype with one share, else fp32.
        peaks_ptr, sums_ptr: `(n, heads, SPLITS)` fp32, not touched with one share.
        scale: of the logits, times log2(e).
        GROUP: heads of q for each head of keys.
        WIDTH: the next power of two of HEAD.
        BLOCK: positions at a time.
    """
    token, head, share = tl.program_id(0).to(tl.int64), tl.program_id(1), tl.program_id(2)
    length = tl.load(places_ptr + token).to(tl.int32) + 1
    row = tl.load(starts_ptr + token) + (head // GROUP).to(tl.int64) * positions
    at = tl.arange(0, WIDTH)
    inside = at < HEAD
    q = tl.load(q_ptr + token * q_stride + head * HEAD + at, mask=inside, other=0.0).to(tl.float32) * scale

    size = tl.cdiv(tl.cdiv(length, SPLITS), BLOCK) * BLOCK
    end = tl.minimum(length, (share + 1) * size)
    peak = tl.full([BLOCK], -float("inf"), dtype=tl.float32)
    total = tl.zeros([BLOCK], dtype=tl.float32)
    out = tl.zeros([BLOCK, WIDTH], dtype=tl.float32)
    for first in range(share * size, end, BLOCK):
        place = first + tl.arange(0, BLOCK)
        offset = (row + place)[:, None] * HEAD + at[None, :]
        seen = (place < end)[:, None] & inside[None, :]
        k = tl.load(keys_ptr + offset, mask=seen, other=0.0).to(tl.float32)
        v = tl.load(values_ptr + offset, mask=seen, other=0.0).to(tl.float32)
        logits = tl.where(place < end, tl.sum(q[None, :] * k, axis=1), -float("inf"))
        higher = tl.maximum(peak, logits)
        weights, kept = tl.exp2(logits - _finite(higher)), tl.exp2(peak - _finite(higher))
        out = out * kept[:, None] + weights[:, None] * v
        total = total * kept + weights
        peak = higher

    top = tl.max(peak, axis=0)
    lanes = tl.exp2(peak - _finite(top))
    whole = tl.sum(total * lanes, axis=0)
    joined = tl.sum(out * lanes[:, None], axis=0)
    part = (token * tl.num_programs(1) + head) * SPLITS + share
    if SPLITS == 1:
        joined = joined / whole
    else:
        tl.store(peaks_ptr + part, top)
        tl.store(sums_ptr + part, whole)
    tl.store(out_ptr + part * HEAD + at, joined.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def join_kernel(
    parts_ptr, peaks_ptr, sums_ptr, out_ptr, SPLITS: tl.constexpr, HEAD: tl.constexpr, WIDTH: tl.constexpr
):  # fmt: skip
    """One program for each token and head: the shares of `attend_kernel` become its result.

    Args:
        SPLITS: a power of two.
        out_ptr: `(n * heads, HEAD)`, of the model's dtype.
    """
    row = tl.program_id(0).to(tl.int64)
    shares = row * SPLITS + tl.arange(0, SPLITS)
    at = tl.arange(0, WIDTH)
    inside = at < HEAD
    peaks = tl.load(peaks_ptr + shares)
    weights = tl.exp2(peaks - tl.max(peaks, axis=0))  # 0 for a share without positions
    total = tl.sum(weights * tl.load(sums_ptr + shares), axis=0)
    parts = tl.load(parts_ptr + shares[:, None] * HEAD + at[None, :], mask=inside[None, :], other=0.0)
    out = tl.sum(weights[:, None] * parts, axis=0) / total
    tl.store(out_ptr + row * HEAD + at, out.to(out_ptr.dtype.element_ty), mask=inside)


@triton.jit
def gated_kernel(gate_and_up_ptr, out_ptr, size, BLOCK: tl.constexpr):
    """One program for each token and block of outputs: silu(gate) * up, from rows of `size` gates, then `size` ups."""
    token = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    inside = at < size
    source = gate_and_up_ptr + token * 2 * size + at
    gate, up = tl.load(source, mask=inside, other=0.0), tl.load(source + size, mask=inside, other=0.0)
    wide = gate.to(tl.float32)
    opened = (wide / (1.0 + tl.exp(-wide))).to(gate.dtype)
    tl.store(
        out_ptr + token * size + at, (opened.to(tl.float32) * up.to(tl.float32)).to(gate.dtype), mask=inside
    )


@triton.jit
def relative_attention_kernel(
    q_ptr, k_ptr, v_ptr, terms_ptr, out_ptr, stride, heads, rows, columns, scale,
    HEAD: tl.constexpr, WIDTH: tl.constexpr, ACROSS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Flash attention over a grid of `rows * columns` positions with decomposed relative positions.

    One program for each block of queries, head and picture. Keys are taken a row of the grid at a time: then what the
    row adds is one number for each query, and what the columns add is the same tile every time.

    Args:
        q_ptr, k_ptr, v_ptr: `(pictures, rows * columns, heads, HEAD)`, positions `stride` apart.
        terms_ptr: `(pictures, heads, rows * columns, rows + columns)`: what `attention.relative_terms` gives.
        out_ptr: `(pictures, rows * columns, heads, HEAD)`, contiguous.
        scale: of q . k.
        WIDTH, ACROSS: the next powers of two of HEAD and `columns`, at least 16, which tensor cores ask for.
        BLOCK: queries of a program, a power of two, at least 16.
    """
    block, head, picture = tl.program_id(0), tl.program_id(1), tl.program_id(2).to(tl.int64)
    log2_e: tl.constexpr = 1.4426950408889634
    length = rows * columns
    query, column, at = block * BLOCK + tl.arange(0, BLOCK), tl.arange(0, ACROSS), tl.arange(0, WIDTH)
    inside, across = at < HEAD, column < columns
    source = picture * length * stride + head * HEAD
    loaded = (query < length)[:, None] & inside[None, :]
    q = tl.load(q_ptr + source + query[:, None] * stride + at[None, :], mask=loaded, other=0.0)
    terms = terms_ptr + ((picture * heads + head) * length + query) * (rows + columns)
    by_column = tl.load(
        terms[:, None] + rows + column[None, :], mask=(query < length)[:, None] & across[None, :], other=0.0
    )
    by_column = tl.where(across[None, :], by_column.to(tl.float32) * log2_e, -float("inf"))

    peak = tl.full([BLOCK], -float("inf"), dtype=tl.float32)
    total = tl.zeros([BLOCK], dtype=tl.float32)
    out = tl.zeros([BLOCK, WIDTH], dtype=tl.float32)
    for row in range(rows):
        offset = source + (row * columns + column)[:, None] * stride + at[None, :]
        seen = across[:, None] & inside[None, :]
        k = tl.load(k_ptr + offset, mask=seen, other=0.0)
        v = tl.load(v_ptr + offset, mask=seen, other=0.0)
        by_row = tl.load(terms + row, mask=query < length, other=0.0).to(tl.float32) * log2_e
        products = tl.dot(q, tl.trans(k), input_precision="ieee")
        logits = products * (scale * log2_e) + by_row[:, None] + by_column
        higher = tl.maximum(peak, tl.max(logits, axis=1))
        weights, kept = tl.exp2(logits - higher[:, None]), tl.exp2(peak - higher)
        out = out * kept[:, None] + tl.dot(weights.to(v.dtype), v, input_precision="ieee")
        total = total * kept + tl.sum(weights, axis=1)
        peak = higher
    stored = out_ptr + ((picture * length + query[:, None]) * heads + head) * HEAD + at[None, :]
    tl.store(stored, (out / total[:, None]).to(out_ptr.dtype.element_ty), mask=loaded)
