"""The least time that a token can take: every weight and every cached position is read once from memory."""

from __future__ import annotations

from time import perf_counter

import torch

from ..config import GotOcr2Config
from ..kernels.quantize import DEFAULT_GROUP

# Bytes that a weight of a linear layer takes. int8 has one fp32 scale for each output, int4 one of 16 bits for each
# group of inputs, and a head in int8; the few escapes of compact weights are not counted.
_BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "compact": 1.5, "int8": 1.0, "int4": 0.5 + 2 / DEFAULT_GROUP}
_SIZE = 512 << 20  # bytes; far more than any cache


def linear_weights(config: GotOcr2Config) -> int:
    """Weights of the decoder's linear layers and the head, which one step reads whole."""
    text = config.text_config
    query = text.num_attention_heads * text.head_dim
    key_value = text.num_key_value_heads * text.head_dim
    attention = text.hidden_size * (2 * query + 2 * key_value)
    mlp = 3 * text.hidden_size * text.intermediate_size
    return text.num_hidden_layers * (attention + mlp) + head_weights(config)


def head_weights(config: GotOcr2Config) -> int:
    """Those of the head alone."""
    return config.text_config.hidden_size * config.text_config.vocab_size


def weight_bytes(config: GotOcr2Config, weights: str) -> float:
    """Bytes of these weights in a format: "fp32", "bf16", "fp16", "compact", "int8" or "int4"."""
    wide = _BYTES["int8"] + 4 / config.text_config.hidden_size
    if weights == "int8":
        return wide * linear_weights(config)
    if weights == "int4":
        head = head_weights(config)
        return _BYTES["int4"] * (linear_weights(config) - head) + wide * head
    return _BYTES[weights] * linear_weights(config)


def step_bytes(config: GotOcr2Config, weights: str, cache: str, rows: int, context: float) -> float:
    """Bytes that a step must read: the weights once, the keys and values of every row.

    Args:
        weights, cache: formats.
        rows: rows in the batch.
        context: positions in the cache of each row.
    """
    text = config.text_config
    per_position = 2 * text.num_hidden_layers * text.num_key_value_heads * text.head_dim * _BYTES[cache]
    return weight_bytes(config, weights) + rows * context * per_position


def read_bandwidth(device: str) -> float:
    """Bytes a second that this process reads from the device's memory: the best of five passes of two simple sums.

    It is a measurement, not a data sheet: threads are those that torch is set to.
    """
    data = torch.ones(_SIZE // 4, device=device)
    synchronise = torch.cuda.synchronize if device.startswith("cuda") else _nothing
    best = 0.0
    for read in (data.sum, lambda: data.dot(data)):
        read()
        for _ in range(5):
            synchronise()
            start = perf_counter()
            read()
            synchronise()
            best = max(best, _SIZE / (perf_counter() - start))
    return best


def _nothing() -> None: ...
