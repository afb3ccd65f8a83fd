"""What code written for transformers asks of `generate` beyond `GenerationOptions`.

Some of it changes nothing; some is another word for an option; the rest is done by the slow loops, `slow_batches.py`
and `beams.py`, outside the engine.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from torch import Tensor

from ..errors import InvalidOptionError
from .rules.options import GenerationOptions

ScoresRule: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""`(ids (batch, T), scores (batch, vocabulary))` -> other scores: transformers' `LogitsProcessor`."""
StopRule: TypeAlias = Callable[[Tensor, Any], Any]
"""`(ids (batch, T), scores)` -> True, or a boolean for each row: transformers' `StoppingCriteria`."""

# Values that ask for what happens anyway.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "num_beam_groups": (1,), "diversity_penalty": (0,), "typical_p": (1,), "epsilon_cutoff": (0,), "eta_cutoff": (0,),
    "min_p": (), "encoder_no_repeat_ngram_size": (0,), "encoder_repetition_penalty": (1,),
    "renormalize_logits": (False,), "exponential_decay_length_penalty": (),
    "remove_invalid_values": (False,), "synced_gpus": (False,), "penalty_alpha": (0,), "bad_words_ids": (),
    "force_words_ids": (), "constraints": (), "forced_bos_token_id": (), "forced_eos_token_id": (),
    "suppress_tokens": (), "begin_suppress_tokens": (), "sequence_bias": (), "guidance_scale": (1,),
    "prefix_allowed_tokens_fn": (), "assistant_model": (), "assistant_tokenizer": (), "custom_generate": (),
    "negative_prompt_ids": (), "negative_prompt_attention_mask": (), "watermarking_config": (), "max_time": (),
    "token_healing": (False,), "dola_layers": (), "low_memory": (False,), "inputs_embeds": (), "position_ids": (),
    "past_key_values": (), "top_h": (),
}  # fmt: skip
# How transformers goes about it; no number depends on these.
_HARMLESS = frozenset({
    "bos_token_id", "decoder_start_token_id", "cache_implementation", "cache_config", "return_legacy_cache",
    "use_model_defaults", "disable_compile", "compile_config", "transformers_version", "is_assistant",
    "num_assistant_tokens", "num_assistant_tokens_schedule", "assistant_confidence_threshold", "assistant_lookbehind",
    "target_lookbehind", "prompt_lookup_num_tokens", "max_matching_ngram_size", "assistant_early_exit",
    "trust_remote_code", "use_cache_quantization", "prefill_chunk_size", "continuous_batching_config",
})  # fmt: skip


@dataclass(frozen=True)
class SlowOptions:
    """What only the slow loops do.

    Attributes:
        num_beams: continuations that beam search keeps, >= 1.
        num_return_sequences: texts for each prompt, >= 1: draws with `do_sample`, else the best beams.
        length_penalty: power of the length by which a beam's log-probability is divided.
        early_stopping: True ends at `num_beams` finished beams; False when the best open one is below them; "never"
            when none can become better.
        logits_processor: change the scores, after the options' own rules and before sampling. With beams they see each
            prompt alone, without padding.
        stopping_criteria: end rows.
        output_logits, output_attentions, output_hidden_states: keep them for every step; see `GenerateOutput`.
    """

    num_beams: int = 1
    num_return_sequences: int = 1
    length_penalty: float = 1.0
    early_stopping: bool | Literal["never"] = False
    logits_processor: Sequence[ScoresRule] = ()
    stopping_criteria: Sequence[StopRule] = ()
    output_logits: bool = False
    output_attentions: bool = False
    output_hidden_states: bool = False

    def __post_init__(self) -> None:
        for name in ("num_beams", "num_return_sequences"):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise InvalidOptionError(f"{name} must be a whole number >= 1, got {value!r}.")
        if self.early_stopping not in (True, False, "never"):
            raise InvalidOptionError(
                f'early_stopping must be True, False or "never", got {self.early_stopping!r}.'
            )

    @property
    def asked(self) -> tuple[str, ...]:
        """What is asked that the engine does not do, by name."""
        neutral = {"num_beams": 1, "num_return_sequences": 1}
        alone = ("length_penalty", "early_stopping")  # nothing without beams
        names = [f.name for f in dataclasses.fields(self) if f.name not in alone]
        return tuple(name for name in names if getattr(self, name) not in (neutral.get(name, False), (), []))

    @property
    def nothing(self) -> bool:
        """Whether the engine does all that is asked."""
        return not self.asked

    def check(self, options: GenerationOptions) -> None:
        """Refuses what contradicts the options."""
        if self.num_beams > 1 and options.do_sample:
            raise InvalidOptionError("Beams are not drawn: num_beams > 1 goes with do_sample=False.")
        if self.num_return_sequences > self.num_beams and not options.do_sample:
            raise InvalidOptionError(
                f"num_return_sequences={self.num_return_sequences} needs do_sample=True or as many beams; num_beams is "
                f"{self.num_beams}."
            )
        kept = ("output_logits", "output_attentions", "output_hidden_states")
        asked = [name for name in kept if getattr(self, name)]
        if asked and not options.return_dict_in_generate:
            raise InvalidOptionError(f"{asked[0]}=True needs return_dict_in_generate=True.")
        if self.num_beams > 1 and (asked or options.output_scores):
            raise InvalidOptionError(
                "Scores, logits, attentions and hidden states are kept without beams only."
            )


def split(
    given: Mapping[str, Any], defaults: GenerationOptions, prompt_width: int
) -> tuple[dict[str, Any], GenerationOptions, SlowOptions]:
    """Arguments of transformers' `generate` -> those of `GenerationOptions`, what they start from, and the rest.

    Args:
        given: keyword arguments as the caller passed them; None stands for nothing.
        defaults: of the model.
        prompt_width: positions of the prompts, padding included, which `max_length` and `min_length` count.

    Raises:
        InvalidOptionError: a value that asks for something that is not done here.
    """
    options = {name: value for name, value in given.items() if value is not None}
    if "generation_config" in options:
        saved = _saved(options.pop("generation_config"))
        names = {f.name for f in dataclasses.fields(GenerationOptions)}
        known = {name: value for name, value in saved.items() if name in names}
        if any(name in given and given[name] is not None for name in ("max_new_tokens", "max_length")):
            saved.pop("max_length", None)
        defaults = dataclasses.replace(defaults, **known)
        options = {**{n: v for n, v in saved.items() if n not in names}, **options}
    most, least = options.pop("max_length", None), options.pop("min_length", None)
    if most is not None and "max_new_tokens" not in options:
        options["max_new_tokens"] = most - prompt_width
        if most <= prompt_width:
            raise InvalidOptionError(
                f"max_length {most} leaves no room after prompts of {prompt_width}; pass max_new_tokens."
            )
    if least and "min_new_tokens" not in options:
        options["min_new_tokens"] = max(0, least - prompt_width)
    slow_names = {f.name for f in dataclasses.fields(SlowOptions)}
    slow = SlowOptions(**{name: options.pop(name) for name in slow_names & options.keys()})
    for name in list(options):
        if name in _HARMLESS or (name in _NEUTRAL and options[name] in (*_NEUTRAL[name], [], {})):
            del options[name]
        elif name in _NEUTRAL:
            raise InvalidOptionError(f"generate() cannot obey {name}={options[name]!r}; leave it out.")
    return options, defaults, slow


def _saved(config: Any) -> dict[str, Any]:
    """What a `GenerationConfig`, of whatever library, says."""
    if isinstance(config, GenerationOptions):
        return {f.name: getattr(config, f.name) for f in dataclasses.fields(config)}
    for name in ("to_diff_dict", "to_dict"):
        if hasattr(config, name):
            config = getattr(config, name)()
            break
    if not isinstance(config, Mapping):
        raise InvalidOptionError(f"generation_config must be a GenerationConfig or a dict, got {config!r}.")
    return {
        n: v for n, v in cast("Mapping[str, Any]", config).items() if v is not None and not n.startswith("_")
    }
