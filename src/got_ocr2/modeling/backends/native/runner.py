"""The engine's back end on a CPU with kernels of our own: packed weights, one native call a step and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from .... import kernels
from ....errors import InvalidOptionError
from ....generation.engine.runner import RowInput, Scores
from ....kernels.decoder import Row
from ....kernels.quantize import CACHES, FORMATS, Cache, Format
from ...network import GotOcr2Network
from ..allocation import allocating
from .decoder import pack_decoder
from .vision import pack_vision
from .weights import Taker, exact_in_bf16

Weights = Literal["auto", "fp32", "bf16", "int8", "int4", "compact", "int16"]

# Linear weights of a decoder from which on "auto" stores them as "compact": fewer stay in a processor's cache, where
# reading less gains nothing.
_COMPACT_FROM = 32 << 20


class NativeRunner:
    """Steps a model with the native kernels; see `generation.engine.runner.Runner`.

    "fp32", "bf16" and "compact" weights give what the torch model gives in fp32, within its rounding: bf16 is how
    published weights are stored, and nothing is computed in it; "compact" is the same in 12 bits. "int8" and "int4"
    weights are approximations, and so are their inputs (8 bits); beside "int4" layers the head is "int8". "int16" is a
    close one, inputs in 13 bits.

    Attributes:
        weights: the format of the decoder's layers.
        cache: how keys and values are stored.
        vision: the format of the image encoder's layers.
    """

    def __init__(
        self,
        model: GotOcr2Network,
        weights: Weights = "auto",
        vision: Weights = "auto",
        threads: int | None = None,
        *,
        cache: Cache | Literal["auto"] = "auto",
        consume: bool = False,
    ) -> None:
        """
        Args:
            model: on the CPU, in fp32 or bf16.
            weights: "auto" stores bf16 if every weight of the model is a bf16 number, else fp32. Large decoders in
                bf16 become "compact" on processors that unpack it as fast as it comes from memory.
            vision: "auto" follows `weights`, with "int8" for "int4". "int4" is for the decoder only.
            cache: "auto" is fp32 beside exact weights and bf16 beside quantised ones.
            threads: size of the process's one team of native threads; None leaves it as it is.
            consume: take the weights out of the model while packing them. The model's parameters are then empty
                shells, and memory never holds both.

        Raises:
            InvalidOptionError: an unknown format, bf16 for weights it cannot hold, or a model elsewhere.
            MissingDependencyError: the native library is not there.
        """
        kernels.native()
        if model.device.type != "cpu":
            raise InvalidOptionError(f"The native kernels run on the CPU; the model is on {model.device}.")
        _check("weights", weights, FORMATS)
        _check("vision", vision, ("fp32", "bf16", "int16", "int8"))
        _check("cache", cache, CACHES)
        if threads is not None:
            kernels.set_threads(threads)
        exact: Format = "bf16" if exact_in_bf16(model) else "fp32"
        self.weights: Format = _exact_weights(model, exact) if weights == "auto" else weights
        self.vision: Format = vision if vision != "auto" else _vision_format(self.weights)
        quantised = self.weights in ("int8", "int4")
        self.cache: Cache = cache if cache != "auto" else "bf16" if quantised else "fp32"
        self._image_token = model.config.image_token_index
        take = Taker(consume)
        embedding = model.model.language_model.embed_tokens
        self._embedding = None if model.config.tie_word_embeddings else take.tensor(embedding, "weight")
        # Every token goes through the head: in 8 bits it costs 1 ms a published step, and lines keep more tokens.
        self._decoder = pack_decoder(
            model, take, self.weights, "int8" if self.weights == "int4" else self.weights, self.cache
        )
        self._vision = pack_vision(model, take, self.vision, self.vision if self.vision != "int8" else exact)

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    @property
    def bytes_per_position(self) -> int:
        return self._decoder.bytes_per_position

    @property
    def capacity(self) -> int:
        return self._decoder.capacity

    @property
    def nbytes(self) -> int:
        """Bytes of the packed weights."""
        own = 0 if self._embedding is None else self._embedding.nbytes
        return self._decoder.nbytes + self._vision.nbytes + own

    def allocate(self, positions: int) -> None:
        self._decoder.release()  # the old arena goes before the new one comes
        with allocating(positions * self.bytes_per_position):
            self._decoder.allocate(positions)

    def release(self) -> None:
        self._decoder.release()

    def encode(self, pixel_values: Tensor) -> Tensor:
        if not self._vision.takes(tuple(pixel_values.shape[1:])):
            raise ValueError(
                f"pixel_values must be (N, {', '.join(map(str, self._vision.shape))}), "
                f"got {tuple(pixel_values.shape)}."
            )
        return torch.stack(self.encode_each(list(pixel_values)))

    def encode_each(self, pictures: Sequence[Tensor]) -> list[Tensor]:
        """Pictures `(C, H, W)` that may differ in width, as `encode` takes them -> `(image tokens, hidden)` each."""
        found = self._vision.encode_each([picture.to("cpu", torch.float32) for picture in pictures])
        self._vision.rest()
        return found

    def forward(self, ids: Tensor, rows: Sequence[RowInput]) -> Scores:
        assert self.capacity, "allocate() comes before forward()"
        x = self._embed(ids)
        first = 0
        for row in rows:
            if row.features is not None:
                own = slice(first, first + row.tokens)
                places = ids[own] == self._image_token
                x[own] = x[own].masked_scatter(places[:, None], row.features.float())
            first += row.tokens
        own_rows = [Row(row.span.start, row.past, row.tokens, row.wanted) for row in rows]
        return Scores(*self._decoder.step(x, own_rows))

    def _embed(self, ids: Tensor) -> Tensor:
        """`(n,)` -> `(n, hidden)` fp32, a tensor of its own."""
        if self._embedding is None:
            return self._decoder.head.rows(ids)
        return self._embedding[ids].float()


def _exact_weights(model: GotOcr2Network, exact: Format) -> Format:
    layers = model.model.language_model.layers
    linears = [part for part in layers.modules() if isinstance(part, nn.Linear)]
    large = sum(part.weight.numel() for part in (*linears, model.lm_head)) >= _COMPACT_FROM
    return "compact" if exact == "bf16" and large and kernels.instruction_set() != "portable" else exact


def _vision_format(weights: Format) -> Format:
    if weights == "compact":  # a picture's many patches keep the arithmetic busy, not the memory
        return "bf16"
    return "int8" if weights == "int4" else weights


def _check(name: str, value: str, known: Sequence[str]) -> None:
    if value != "auto" and value not in known:
        raise InvalidOptionError(f"{name} is {value!r}; it must be auto, {', '.join(known)}.")
