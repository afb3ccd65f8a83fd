"""`generate` for a model class, and the steps that it is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any, cast

import torch
from torch import Tensor

from ..config import GotOcr2Config
from ..errors import InvalidOptionError
from .batches import Generators, requests, steps
from .beams import search_batch
from .engine.requests import Request
from .engine.runner import Runner
from .inputs import PromptBatch
from .outputs import GenerateOutput, Step, collect
from .protocols import LanguageModel, Streamer, Tokenizer
from .rules.options import GenerationOptions, unknown_option
from .slow_batches import generate_batch, repeated
from .slow_options import SlowOptions, split

_KNOWN = frozenset(f.name for f in dataclasses.fields(GenerationOptions)) | {
    "input_ids", "pixel_values", "attention_mask", "tokenizer", "streamer", "generator",
}  # fmt: skip


class GenerationMixin:
    """Adds `generate` and `generate_steps` to a model that can make a runner for the engine.

    Attributes:
        generation_defaults: what `generate` does unless told otherwise; a loaded checkpoint brings its own.
    """

    config: GotOcr2Config
    generation_defaults: GenerationOptions = GenerationOptions()

    @property
    def generation_config(self) -> GenerationOptions:
        """`generation_defaults`, under transformers' name; a `GenerationConfig` or a dict may be written to it."""
        return self.generation_defaults

    @generation_config.setter
    def generation_config(self, value: Any) -> None:
        saved = value if isinstance(value, GenerationOptions) else None
        if saved is None:
            given, defaults, _ = split({"generation_config": value}, self.generation_defaults, 0)
            saved = defaults.override(**given)
        self.generation_defaults = saved

    def new_runner(self, *, use_cache: bool = True) -> Runner:
        """What steps this model for an engine; `use_cache=False` asks for one that reads rows anew every time."""
        raise NotImplementedError

    def generate(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        tokenizer: Tokenizer | None = None,
        streamer: Streamer | None = None,
        generator: Generators | None = None,
        **options: Any,
    ) -> Tensor | GenerateOutput:
        """Continues the prompts until each has ended.

        Args:
            input_ids: `(batch, T)` prompts, padded on the left.
            pixel_values: `(images, C, H, W)`, the pictures of all rows in order.
            attention_mask: `(batch, T)`, 0 on padding; needed if rows are padded.
            tokenizer: needed with `stop_strings`.
            streamer: gets the prompt, then the new ids of every step, as soon as they are known.
            generator: source of random numbers for sampling, on the model's device: one for the batch, or one
                per row, which makes each row's text the same in any batch. Default: torch's global one.
            **options: any field of `GenerationOptions`, over `generation_defaults`; None leaves the default. Those
                of `SlowOptions` (beams, own rules and criteria, looking inside) are done outside the engine, slowly.
                `generation_config`, `max_length`, and arguments of transformers' that change nothing are accepted.

        Returns:
            int64 `(batch, T + new)`, prompts included, or a `GenerateOutput` with `return_dict_in_generate`.

        Raises:
            InvalidOptionError: an unknown option, a bad value, or prompts that do not fit the model; raised
                before any work is done.
            GotOcr2Error: a row has no token to choose.
        """
        ids = options.pop("inputs", None) if input_ids is None else input_ids
        options, defaults, slow = split(options, self.generation_defaults, _width(ids))
        try:
            batch, chosen, pages = self._plan(
                ids, pixel_values, attention_mask, tokenizer, generator, options, defaults
            )
            slow.check(chosen)
            if streamer is not None:
                streamer.put(batch.input_ids.cpu())
            if slow.nothing:
                taken: list[Step] = []
                for step in self._steps(batch, chosen, pages):
                    taken.append(step)
                    if streamer is not None:
                        streamer.put(torch.tensor(step.tokens))
                output = collect(batch.input_ids, taken)
            else:
                _check_device(batch.input_ids, getattr(self, "device", None))
                output = _slowly(
                    cast(LanguageModel, self), batch, chosen, slow, pages[0].max_new_tokens,
                    tokenizer=tokenizer, generator=generator, streamer=streamer,
                )  # fmt: skip
        finally:
            # Also after a failure: someone in another thread may be waiting for more text.
            if streamer is not None:
                streamer.end()
        return output if chosen.return_dict_in_generate else output.sequences

    def generate_steps(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        tokenizer: Tokenizer | None = None,
        generator: Generators | None = None,
        **options: Any,
    ) -> Iterator[Step]:
        """`generate`, one step at a time: for showing text as it comes, or for ending early.

        Arguments and errors are those of `generate`; bad ones are refused at the call, not at the first step.
        Closing the iterator, or leaving it, stops the work.
        """
        batch, chosen, pages = self._plan(
            input_ids, pixel_values, attention_mask, tokenizer, generator, options
        )
        return self._steps(batch, chosen, pages)

    def requests(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        tokenizer: Tokenizer | None = None,
        generator: Generators | None = None,
        **options: Any,
    ) -> list[Request]:
        """The rows of a batch, checked as `generate` checks them, for an engine of the caller's.

        Arguments and errors are those of `generate`, but the tensors may be on any device.
        """
        return self._plan(input_ids, pixel_values, attention_mask, tokenizer, generator, options)[2]

    def _plan(
        self,
        input_ids: Tensor | None,
        pixel_values: Tensor | None,
        attention_mask: Tensor | None,
        tokenizer: Tokenizer | None,
        generator: Generators | None,
        given: dict[str, Any],
        defaults: GenerationOptions | None = None,
    ) -> tuple[PromptBatch, GenerationOptions, list[Request]]:
        """Checks everything that can be checked before the first forward pass."""
        for name in given:
            if name not in _KNOWN:
                raise unknown_option(name, _KNOWN)
        options = (defaults or self.generation_defaults).override(**given)
        text = self.config.text_config
        for name, ids in (("eos_token_id", options.eos_token_id), ("pad_token_id", (options.padding or 0,))):
            if any(i >= text.vocab_size for i in ids):
                raise InvalidOptionError(
                    f"{name} {max(ids)} is outside the vocabulary 0..{text.vocab_size - 1}."
                )
        batch = PromptBatch.check(self.config, input_ids, pixel_values, attention_mask, options.padding)
        rows = len(batch.lengths)
        _check_generators(generator, rows, getattr(self, "device", batch.input_ids.device))
        if rows > 1 and options.stop_strings and options.padding is None:
            raise InvalidOptionError(
                f"{rows} rows may end at different times: pass pad_token_id to fill the shorter ones."
            )
        limit = batch.max_new_tokens(options, text.max_position_embeddings)
        return batch, options, requests(batch, options, limit, tokenizer, generator)

    def _steps(
        self, batch: PromptBatch, options: GenerationOptions, pages: Sequence[Request]
    ) -> Iterator[Step]:
        _check_device(batch.input_ids, getattr(self, "device", None))
        return steps(lambda: self.new_runner(use_cache=options.use_cache), pages)


def _slowly(
    model: LanguageModel,
    batch: PromptBatch,
    options: GenerationOptions,
    slow: SlowOptions,
    max_new_tokens: int,
    *,
    tokenizer: Tokenizer | None,
    generator: Generators | None,
    streamer: Streamer | None,
) -> GenerateOutput:
    """What the engine does not do."""
    if slow.num_beams > 1:
        if streamer is not None:
            raise InvalidOptionError("Beams end all at once: a streamer goes with num_beams=1.")
        return search_batch(model, batch, options, slow, max_new_tokens, tokenizer)
    return generate_batch(
        model, repeated(batch, slow.num_return_sequences), options, slow, max_new_tokens,
        tokenizer=tokenizer, generator=generator, streamer=streamer,
    )  # fmt: skip


def _width(ids: Tensor | None) -> int:
    return 0 if ids is None else ids.shape[-1]


def _check_device(input_ids: Tensor, device: torch.device | None) -> None:
    if device is not None and input_ids.device != device:
        raise InvalidOptionError(
            f"input_ids are on {input_ids.device}, but the model is on {device}: use inputs.to(model.device)."
        )


def _check_generators(generator: Generators | None, rows: int, device: torch.device) -> None:
    if generator is None:
        return
    generators = [generator] if isinstance(generator, torch.Generator) else list(generator)
    if not isinstance(generator, torch.Generator) and len(generators) != rows:
        raise InvalidOptionError(f"{len(generators)} generators were given for {rows} rows.")
    for one in generators:
        if one.device.type != device.type:
            raise InvalidOptionError(f"A generator is on {one.device}, but the model is on {device}.")
