"""Peers that people run on a CPU: ONNX Runtime and OpenVINO, on exports of the same checkpoint.

`export` writes two ONNX graphs, the image encoder and one step of the decoder with its keys and values as inputs and
outputs, and what torch gives for a small question. Run as a program (`peers.py EXPORTS SPEC`), this file is a worker as
`got_ocr2.benchmarking` has them, which first checks that its own answers agree with those.

    onnxruntime-fp32    as exported
    onnxruntime-int8    MatMul with weights of 8 bits, inputs quantised as they come
    openvino-fp32       the decoder keeps its keys and values itself
    openvino-int8       weights of 8 bits by nncf
    openvino-int4       weights of 4 bits in groups of 64, the first and last layers' in 8, by nncf

They are in the extra "bench": pip install 'got-ocr2[bench]'.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from time import perf_counter
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from got_ocr2.benchmarking import worker
from got_ocr2.benchmarking.subjects import Variant, Written
from got_ocr2.benchmarking.workload import pictures, text_prompt
from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import GotOcr2Error
from got_ocr2.extras import need
from got_ocr2.modeling import GotOcr2ForConditionalGeneration, load_model
from got_ocr2.modeling.decoder import rotary_tables

VARIANTS = {
    one.name: one
    for one in (
        Variant("onnxruntime-fp32", "float32", "fp32", "fp32", "ONNX Runtime fp32"),
        Variant("onnxruntime-int8", "float32", "int8", "fp32", "ONNX Runtime int8"),
        Variant("openvino-fp32", "float32", "fp32", "fp32", "OpenVINO fp32"),
        Variant("openvino-int8", "float32", "int8", "fp32", "OpenVINO int8"),
        Variant("openvino-int4", "float32", "int4", "fp32", "OpenVINO int4"),
    )
}
_NEEDED = {"onnxruntime": ("onnx", "onnxruntime"), "openvino": ("onnx", "openvino", "nncf")}
_OPSET = 18
_FEW = 5  # tokens of the small question
# Differences from torch over the largest value: of the same numbers in another order, and of fewer bits, where more
# than this means another model. Random weights magnify rounding.
_LIMITS = {"fp32": 0.01, "int8": 0.5, "int4": 1.0}

Array = NDArray[Any]


def require(names: Sequence[str]) -> None:
    """Raises MissingDependencyError, one sentence, unless what these variants need is installed."""
    for name in names:
        for module in _NEEDED[name.partition("-")[0]]:
            need(module, f"Measuring {VARIANTS[name].label}", extra="bench")


def versions(names: Sequence[str]) -> dict[str, str]:
    """Of the packages that these variants need."""
    modules = {module for name in names for module in _NEEDED[name.partition("-")[0]]}
    return {module: version(module) for module in sorted(modules)}


class _Step(nn.Module):
    """Embeddings, their positions, and the keys and values before them -> scores of the last, keys, values."""

    def __init__(self, model: GotOcr2ForConditionalGeneration) -> None:
        super().__init__()
        self.decoder, self.head = model.model.language_model, model.lm_head
        self.text = model.config.text_config

    def forward(self, embeds: Tensor, positions: Tensor, *past: Tensor) -> tuple[Tensor, ...]:
        rotary = rotary_tables(positions, self.text.head_dim, self.text.rope_theta, embeds.dtype)
        before, new = past[0].shape[2], embeds.shape[1]
        mask = torch.arange(before + new)[None] <= before + torch.arange(new)[:, None]  # (new, before + new)
        cache = _Joined(past, self.text.num_attention_heads // self.text.num_key_value_heads)
        x = embeds
        for layer in self.decoder.layers:
            x = layer(x, rotary, mask, cache)
        return (self.head(self.decoder.norm(x[:, -1:]))[:, 0], *cache.all)


class _Joined:
    """A cache whose keys and values are given and taken away by the caller, layer by layer."""

    def __init__(self, past: Sequence[Tensor], shared: int) -> None:
        self.past, self.all = past, list[Tensor]()
        self.shared = shared  # heads of queries to one of keys

    def attend(self, layer: int, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None) -> Tensor:
        k, v = torch.cat([self.past[2 * layer], k], 2), torch.cat([self.past[2 * layer + 1], v], 2)
        self.all += [k, v]
        if self.shared > 1:
            k, v = k.repeat_interleave(self.shared, 1), v.repeat_interleave(self.shared, 1)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)


class _Encoder(nn.Module):
    def __init__(self, model: GotOcr2ForConditionalGeneration) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        return self.model.encode_pictures(pixels)


def _cache_names(config: GotOcr2Config, way: str) -> list[str]:
    layers = range(config.text_config.num_hidden_layers)
    return [f"{way}.{layer}.{what}" for layer in layers for what in ("key", "value")]


def _empty_cache(config: GotOcr2Config, rows: int, length: int = 0) -> list[Tensor]:
    text = config.text_config
    shape = (rows, text.num_key_value_heads, length, text.head_dim)
    return [torch.zeros(shape) for _ in _cache_names(config, "past")]


@torch.inference_mode()
def export(folder: Path, out: Path, say: Callable[[str], object]) -> Path:
    """Writes the graphs of a checkpoint and torch's answers into `out`, unless they are there; returns it."""
    if (out / "answers.npz").exists():
        return out
    out.mkdir(parents=True, exist_ok=True)
    model = load_model(folder, dtype="float32").eval()
    config = model.config
    say("exporting the decoder")
    past, names = _empty_cache(config, 2, 3), _cache_names(config, "past")
    embeds = torch.zeros(2, _FEW, config.text_config.hidden_size)
    positions = torch.arange(3, 3 + _FEW).expand(2, -1)
    grown = _cache_names(config, "present")
    axes = {"embeds": {0: "rows", 1: "new"}, "positions": {0: "rows", 1: "new"}, "scores": {0: "rows"}}
    axes |= {name: {0: "rows", 2: "length"} for name in (*names, *grown)}
    with torch.no_grad(), warnings.catch_warnings():
        # The older exporter, which needs no further package, says that it is, and that shapes become constants.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Step(model), (embeds, positions, *past), str(out / "decoder.onnx"), dynamo=False, opset_version=_OPSET,
            input_names=["embeds", "positions", *names], output_names=["scores", *grown], dynamic_axes=axes,
        )  # fmt: skip
        say("exporting the encoder")
        pixels = pictures(config, 1)
        torch.onnx.export(
            _Encoder(model), (pixels,), str(out / "encoder.onnx"), dynamo=False, opset_version=_OPSET,
            input_names=["pixels"], output_names=["features"],
        )  # fmt: skip
    ids = text_prompt(config, 1, _FEW)
    np.savez(
        out / "answers.npz",
        embedding=model.model.language_model.embed_tokens.weight.numpy(),
        scores=model(ids).logits[:, -1].numpy(),
        features=model.encode_pictures(pixels).numpy(),
    )
    return out


class _Runtime(Protocol):
    """A loaded pair of graphs."""

    def encode(self, pixels: Array) -> Array: ...

    def begin(self, rows: int) -> None:
        """Forgets keys and values."""
        ...

    def step(self, embeds: Array, positions: Array) -> Array:
        """Scores `(rows, vocabulary)` of the last position; keeps keys and values."""
        ...


class _OnnxRuntime:
    def __init__(self, folder: Path, config: GotOcr2Config, bits: str, threads: int) -> None:
        runtime = need("onnxruntime", "This measurement", extra="bench")
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads

        def opened(name: str) -> Any:
            path = folder / f"{name}.onnx"
            if bits == "int8":
                path = self._quantised(path)
            return runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

        self._config = config
        self._decoder, self._encoder = opened("decoder"), opened("encoder")
        self._names = _cache_names(config, "past")
        self._cache: list[Array] = []

    @staticmethod
    def _quantised(path: Path) -> Path:
        made = path.with_suffix(".int8.onnx")
        if not made.exists():
            quantization = need("onnxruntime.quantization", "This measurement", extra="bench")
            logging.getLogger().setLevel(
                logging.ERROR
            )  # it advises to optimise first, which changes no product
            # Both sides unsigned: signed weights saturate on processors without byte products of their own.
            quantization.quantize_dynamic(
                path, made, weight_type=quantization.QuantType.QUInt8, op_types_to_quantize=["MatMul"]
            )
        return made

    def encode(self, pixels: Array) -> Array:
        return self._encoder.run(None, {"pixels": pixels})[0]

    def begin(self, rows: int) -> None:
        self._cache = [one.numpy() for one in _empty_cache(self._config, rows)]

    def step(self, embeds: Array, positions: Array) -> Array:
        given = {"embeds": embeds, "positions": positions, **dict(zip(self._names, self._cache, strict=True))}
        scores, *self._cache = self._decoder.run(None, given)
        return scores


class _OpenVino:
    def __init__(self, folder: Path, config: GotOcr2Config, bits: str, threads: int) -> None:
        openvino = need("openvino", "This measurement", extra="bench")
        stateful = need("openvino._offline_transformations", "This measurement", extra="bench")
        core = openvino.Core()
        # Computed in fp32, as the others do, whatever the processor would rather do.
        hints = {"INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
        # The image encoder's weights stay in 8 bits beside a decoder's in 4, as ours do.
        stored = {"decoder": bits, "encoder": "int8" if bits == "int4" else bits}
        models = [
            core.read_model(self._compressed(folder / f"{name}.onnx", width))
            for name, width in stored.items()
        ]
        pairs = dict(zip(_cache_names(config, "past"), _cache_names(config, "present"), strict=True))
        stateful.apply_make_stateful_transformation(models[0], pairs)
        compiled = [core.compile_model(one, "CPU", hints) for one in models]
        self._config = config
        self._decoder, self._encoder = (one.create_infer_request() for one in compiled)
        self._tensor = openvino.Tensor

    @staticmethod
    def _compressed(path: Path, bits: str) -> Path:
        made = path.with_suffix(f".{bits}.xml")
        if bits == "fp32":
            return path
        if not made.exists():
            openvino, nncf = (need(name, "This measurement", extra="bench") for name in ("openvino", "nncf"))
            modes = nncf.CompressWeightsMode
            how = {"mode": modes.INT4_SYM, "group_size": 64} if bits == "int4" else {"mode": modes.INT8_ASYM}
            model = nncf.compress_weights(openvino.Core().read_model(path), **how)
            openvino.save_model(model, made, compress_to_fp16=False)
        return made

    def encode(self, pixels: Array) -> Array:
        self._encoder.infer({"pixels": pixels})
        return self._encoder.get_output_tensor(0).data.copy()

    def begin(self, rows: int) -> None:
        self._decoder.reset_state()
        empty = _empty_cache(self._config, rows)[0].numpy()
        for state in self._decoder.query_state():
            state.state = self._tensor(empty)

    def step(self, embeds: Array, positions: Array) -> Array:
        self._decoder.infer({"embeds": embeds, "positions": positions})
        return self._decoder.get_tensor("scores").data


class Peer:
    """A subject as `got_ocr2.benchmarking.subjects.Subject` describes it."""

    device = "cpu"

    def __init__(self, exports: Path, folder: Path, chosen: Variant, threads: int) -> None:
        """Opens what `export` wrote for the checkpoint in `folder`, and checks it.

        Raises:
            GotOcr2Error: it does not give what torch gives.
        """
        kind, _, bits = chosen.name.partition("-")
        self.config = GotOcr2Config.from_pretrained(folder)
        kinds: dict[str, Callable[..., _Runtime]] = {"onnxruntime": _OnnxRuntime, "openvino": _OpenVino}
        self._runtime = kinds[kind](exports, self.config, bits, threads)
        answers = np.load(exports / "answers.npz")
        self._embedding = torch.from_numpy(answers["embedding"])  # pyright: ignore[reportUnknownMemberType]
        self._check(answers, _LIMITS[bits], chosen.label)

    def _check(self, answers: Any, limit: float, label: str) -> None:
        self._runtime.begin(1)
        embeds = self._embed(text_prompt(self.config, 1, _FEW))
        self._runtime.step(embeds[:, : _FEW - 1], _positions(1, 0, _FEW - 1))
        scores = self._runtime.step(embeds[:, _FEW - 1 :], _positions(1, _FEW - 1, 1))
        features = self._runtime.encode(pictures(self.config, 1).numpy())
        for what, mine, right in (
            ("scores", scores, answers["scores"]),
            ("features", features, answers["features"]),
        ):
            off = float(np.abs(mine - right).max() / np.abs(right).max())
            print(f"{label}: {what} are {off:.2g} of the largest from torch's", file=sys.stderr)
            if not off <= limit:
                raise GotOcr2Error(
                    f"the {what} of {label} are {off:.2g} of the largest from torch's, more than {limit:g}"
                )

    def encode(self, pixel_values: Tensor) -> Tensor:
        return torch.cat([torch.from_numpy(self._runtime.encode(one[None].numpy())) for one in pixel_values])

    def write(
        self,
        input_ids: Tensor,
        pixel_values: Tensor | None,
        tokens: int,
        draft: str | Sequence[int] | None = None,
    ) -> Written:
        """Greedy, without drafts."""
        assert draft is None
        start = perf_counter()
        rows, length = input_ids.shape
        features = None if pixel_values is None else self.encode(pixel_values)
        self._runtime.begin(rows)
        scores = self._runtime.step(self._embed(input_ids, features), _positions(rows, 0, length))
        ids, times = [scores.argmax(-1)], [perf_counter()]
        for step in range(1, tokens):
            embeds = self._embed(torch.from_numpy(ids[-1])[:, None])
            ids.append(self._runtime.step(embeds, _positions(rows, length + step - 1, 1)).argmax(-1))
            times.append(perf_counter())
        return Written(
            first=times[0] - start,
            steps=[b - a for a, b in pairwise(times)],
            seconds=times[-1] - start,
            ids=np.stack(ids, 1).tolist(),
        )

    def _embed(self, ids: Tensor, features: Tensor | None = None) -> Array:
        embeds = self._embedding[ids]
        if features is not None:
            places = (ids == self.config.image_token_index)[..., None]
            embeds = embeds.masked_scatter(places, features.flatten(0, 1))
        return embeds.numpy()


def _positions(rows: int, first: int, count: int) -> Array:
    return np.tile(np.arange(first, first + count, dtype=np.int64), (rows, 1))


if __name__ == "__main__":
    where = Path(sys.argv[1])
    worker.main(sys.argv[2], lambda folder, chosen, _, threads: Peer(where, folder, chosen, threads))
