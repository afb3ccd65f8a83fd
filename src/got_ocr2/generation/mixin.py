"""`generate` for a model class, and the steps that it is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from ..config import GotOcr2Config
from ..errors import InvalidOptionError
from .batches import Generators, Steps, requests, steps
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
        try:
            plan = self._plan(input_ids, pixel_values, attention_mask, tokenizer, generator, options)
            if plan.slow.nothing:
                output = collect(plan.batch.input_ids, list(self._steps(plan, streamer)))
            else:
                output = self._slowly(plan, tokenizer=tokenizer, generator=generator, streamer=streamer)
        finally:
            # Also after a failure: someone in another thread may be waiting for more text.
            if streamer is not None:
                streamer.end()
        return output if plan.options.return_dict_in_generate else output.sequences

    def generate_steps(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        tokenizer: Tokenizer | None = None,
        streamer: Streamer | None = None,
        generator: Generators | None = None,
        **options: Any,
    ) -> Iterator[Step]:
        """`generate`, one step at a time: for showing text as it comes, or for ending early.

        Arguments and errors are those of `generate`, but what is done outside the engine has no steps. Bad ones are
        refused at the call, not at the first step. Closing the iterator, or leaving it, stops the work.
        """
        try:
            plan = self._plan(input_ids, pixel_values, attention_mask, tokenizer, generator, options)
            plan.check_engine("generate_steps")
            steps = self._steps(plan, streamer)
        except BaseException:
            if streamer is not None:
                streamer.end()
            raise
        return _ending(steps, streamer)

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

        Arguments and errors are those of `generate_steps`, but the tensors may be on any device, and an engine feeds no
        streamer.
        """
        plan = self._plan(input_ids, pixel_values, attention_mask, tokenizer, generator, options)
        plan.check_engine("requests")
        return plan.pages

    def _plan(
        self,
        input_ids: Tensor | None,
        pixel_values: Tensor | None,
        attention_mask: Tensor | None,
        tokenizer: Tokenizer | None,
        generator: Generators | None,
        given: dict[str, Any],
    ) -> _Plan:
        """Checks everything that can be checked before the first forward pass."""
        ids = given.pop("inputs", None) if input_ids is None else input_ids
        given, defaults, slow = split(given, self.generation_defaults, 0 if ids is None else ids.shape[-1])
        for name in given:
            if name not in _KNOWN:
                raise unknown_option(name, _KNOWN)
        options = defaults.override(**given)
        text = self.config.text_config
        for name, chosen in (
            ("eos_token_id", options.eos_token_id),
            ("pad_token_id", (options.padding or 0,)),
        ):
            if any(i >= text.vocab_size for i in chosen):
                raise InvalidOptionError(
                    f"{name} {max(chosen)} is outside the vocabulary 0..{text.vocab_size - 1}."
                )
        batch = PromptBatch.check(self.config, ids, pixel_values, attention_mask, options.padding)
        rows = len(batch.lengths)
        _check_generators(generator, rows, getattr(self, "device", batch.input_ids.device))
        if rows > 1 and options.stop_strings and options.padding is None:
            raise InvalidOptionError(
                f"{rows} rows may end at different times: pass pad_token_id to fill the shorter ones."
            )
        limit = batch.max_new_tokens(options, text.max_position_embeddings)
        slow.check(options)
        return _Plan(batch, options, requests(batch, options, limit, tokenizer, generator), slow)

    def _steps(self, plan: _Plan, streamer: Streamer | None) -> Steps:
        _check_device(plan.batch.input_ids, getattr(self, "device", None))
        taken = steps(lambda: self.new_runner(use_cache=plan.options.use_cache), plan.pages)
        return taken if streamer is None else _shown(taken, plan.batch.input_ids, streamer)

    def _slowly(
        self,
        plan: _Plan,
        *,
        tokenizer: Tokenizer | None,
        generator: Generators | None,
        streamer: Streamer | None,
    ) -> GenerateOutput:
        """What the engine does not do."""
        _check_device(plan.batch.input_ids, getattr(self, "device", None))
        model, slow, limit = cast(LanguageModel, self), plan.slow, plan.pages[0].max_new_tokens
        if slow.num_beams > 1 and streamer is not None:
            raise InvalidOptionError("Beams end all at once: a streamer goes with num_beams=1.")
        if streamer is not None:
            streamer.put(plan.batch.input_ids.cpu())
        if slow.num_beams > 1:
            return search_batch(model, plan.batch, plan.options, slow, limit, tokenizer)
        return generate_batch(
            model, repeated(plan.batch, slow.num_return_sequences), plan.options, slow, limit,
            tokenizer=tokenizer, generator=generator, streamer=streamer,
        )  # fmt: skip


@dataclass(frozen=True)
class _Plan:
    """What a call of `generate` comes to: checked prompts and options, a request for each row, and the rest."""

    batch: PromptBatch
    options: GenerationOptions
    pages: list[Request]
    slow: SlowOptions

    def check_engine(self, caller: str) -> None:
        """Refuses what only the slow loops do."""
        if not self.slow.nothing:
            raise InvalidOptionError(
                f"{caller}() leaves the work to the engine, which does not do {self.slow.asked[0]}; use generate()."
            )


def _shown(steps: Steps, input_ids: Tensor, streamer: Streamer) -> Steps:
    """The steps, given to the streamer behind the prompt as they come."""
    with closing(steps):
        streamer.put(input_ids.cpu())
        for step in steps:
            streamer.put(torch.tensor(step.tokens))
            yield step


def _ending(steps: Steps, streamer: Streamer | None) -> Steps:
    """The steps; the streamer is told of their end, whatever it is."""
    try:
        yield from steps
    finally:
        if streamer is not None:
            streamer.end()


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
