"""Frozen generation options: checked once, before any work is done."""

from __future__ import annotations

import dataclasses
import difflib
import math
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ...errors import InvalidOptionError

# Without an explicit limit a row may take this many new tokens: the published model's own setting.
DEFAULT_NEW_TOKENS = 4096

# Keys of generation_config.json that say nothing about how tokens are chosen.
_BOOKKEEPING = frozenset({
    "_from_model_config", "transformers_version", "bos_token_id", "decoder_start_token_id", "max_length",
    "min_length", "cache_implementation", "output_attentions", "output_hidden_states", "output_logits",
})  # fmt: skip


@dataclass(frozen=True)
class GenerationOptions:
    """How a row is continued and when it ends. The names and meanings are those of HF's `GenerationConfig`.

    Attributes:
        max_new_tokens: most tokens a row may gain, >= 1. None means as many as the context holds after the
            longest prompt, but at most 4096. A given number is never clipped: if the context cannot hold it,
            generation refuses to start.
        min_new_tokens: the ids in `eos_token_id` are forbidden until a row has this many new tokens, >= 0.
            Stop strings are not held back by it.
        do_sample: draw from the distribution instead of taking the most probable token.
        temperature: divides the scores before drawing, > 0; needs `do_sample`.
        top_k: draw among the k most probable tokens (and those tied with the k-th); 0 draws among all; needs
            `do_sample`.
        top_p: draw among the most probable tokens that together reach this probability, in (0, 1]; 1 draws
            among all; needs `do_sample`.
        repetition_penalty: > 0; scores of tokens that the row already holds, prompt included, are divided by
            it if positive and multiplied by it if negative (CTRL, section 4.1). 1 changes nothing.
        no_repeat_ngram_size: no run of this many tokens occurs twice in a row of the batch, prompt included;
            0 allows all.
        stop_strings: texts that end a row; see `stopping.StopStrings`.
        eos_token_id: ids that end a row; none by default. Loaded models know theirs.
        pad_token_id: fills a row that ended before the others. None takes the first of `eos_token_id`.
        use_cache: keep keys and values instead of running every position again at every step.
        return_dict_in_generate: return a `GenerateOutput` instead of the bare ids.
        output_scores: keep the scores of every step in it: 4 bytes x rows x vocabulary each.

    Raises:
        InvalidOptionError: a value is of the wrong kind or out of its range, or two contradict each other.
    """

    max_new_tokens: int | None = None
    min_new_tokens: int = 0
    do_sample: bool = False
    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    stop_strings: tuple[str, ...] = ()
    eos_token_id: tuple[int, ...] = ()
    pad_token_id: int | None = None
    use_cache: bool = True
    return_dict_in_generate: bool = False
    output_scores: bool = False

    def __post_init__(self) -> None:
        if self.max_new_tokens is not None:
            _check_int("max_new_tokens", self.max_new_tokens, at_least=1)
        if self.pad_token_id is not None:
            _check_int("pad_token_id", self.pad_token_id, at_least=0)
        for name in ("min_new_tokens", "top_k", "no_repeat_ngram_size"):
            _check_int(name, getattr(self, name), at_least=0)
        for name in ("do_sample", "use_cache", "return_dict_in_generate", "output_scores"):
            value = getattr(self, name)
            if not isinstance(value, bool):
                raise InvalidOptionError(f"{name} must be True or False, got {value!r}.")
        for name in ("temperature", "top_p", "repetition_penalty"):
            object.__setattr__(self, name, _positive(name, getattr(self, name)))
        object.__setattr__(self, "stop_strings", _strings("stop_strings", self.stop_strings))
        object.__setattr__(self, "eos_token_id", _ids("eos_token_id", self.eos_token_id))
        if self.top_p > 1:
            raise InvalidOptionError(f"top_p must be at most 1, got {self.top_p!r}.")
        if self.max_new_tokens is not None and self.min_new_tokens > self.max_new_tokens:
            raise InvalidOptionError(
                f"min_new_tokens {self.min_new_tokens} is more than max_new_tokens {self.max_new_tokens}."
            )
        if self.output_scores and not self.return_dict_in_generate:
            raise InvalidOptionError("output_scores=True needs return_dict_in_generate=True.")

    def override(self, **options: Any) -> GenerationOptions:
        """These options with some replaced; None keeps what is here.

        `eos_token_id` may be one id or several, `stop_strings` one string or several.

        Raises:
            InvalidOptionError: an unknown name (the nearest known one is suggested), a bad value, or a
                setting that only sampling obeys while `do_sample` is False.
        """
        known = [f.name for f in dataclasses.fields(self)]
        for name in options:
            if name not in known:
                raise unknown_option(name, known)
        given = {name: value for name, value in options.items() if value is not None}
        merged = dataclasses.replace(self, **given)
        if not merged.do_sample:
            # A checkpoint's file may hold these beside do_sample=False; a caller who writes them means them.
            neutral = {"temperature": (1,), "top_k": (0, GenerationOptions.top_k), "top_p": (1,)}
            for name in neutral.keys() & given.keys():
                if given[name] not in neutral[name]:
                    raise InvalidOptionError(f"{name}={given[name]!r} has no effect without do_sample=True.")
        return merged

    @property
    def padding(self) -> int | None:
        """The id that fills ended rows: `pad_token_id`, else the first of `eos_token_id`, else None."""
        if self.pad_token_id is not None:
            return self.pad_token_id
        return self.eos_token_id[0] if self.eos_token_id else None

    @classmethod
    def from_generation_config(
        cls, data: Mapping[str, Any], *, eos_token_id: Iterable[int] = (), pad_token_id: int | None = None
    ) -> GenerationOptions:
        """Reads the object in a checkpoint's `generation_config.json`.

        Args:
            data: the parsed JSON.
            eos_token_id: ids that end a row whatever the file says: published files name `<|endoftext|>` or
                nothing, but the model ends its answers with `<|im_end|>`.
            pad_token_id: used if the file names none.

        Raises:
            InvalidOptionError: a value that no decoder could obey.

        Warns:
            UserWarning: the file asks for something that this package does not do, such as beams.
        """
        known = {f.name for f in dataclasses.fields(cls)}
        fields = {name: value for name, value in data.items() if name in known and value is not None}
        ignored = {n: v for n, v in data.items() if n not in known | _BOOKKEEPING and not _is_neutral(v)}
        if ignored:
            listed = ", ".join(f"{name}={value!r}" for name, value in sorted(ignored.items()))
            warnings.warn(f"generation_config.json asks for {listed}: not supported, left out.", stacklevel=2)
        from_file = _ids("eos_token_id", fields.pop("eos_token_id", ()))
        fields.setdefault("pad_token_id", pad_token_id)
        return cls(eos_token_id=(*eos_token_id, *from_file), **fields)

    def to_dict(self) -> dict[str, Any]:
        """Every option by its name."""
        return dataclasses.asdict(self)

    def to_diff_dict(self) -> dict[str, Any]:
        """`to_generation_config`, by the name that transformers' pipelines call."""
        return self.to_generation_config()

    def to_generation_config(self) -> dict[str, Any]:
        """What differs from the defaults, ready for `generation_config.json` in HF's dialect."""
        values = {f.name: (getattr(self, f.name), f.default) for f in dataclasses.fields(self)}
        out: dict[str, Any] = {name: value for name, (value, default) in values.items() if value != default}
        if self.stop_strings:
            out["stop_strings"] = list(self.stop_strings)
        if self.eos_token_id:
            out["eos_token_id"] = (
                self.eos_token_id[0] if len(self.eos_token_id) == 1 else list(self.eos_token_id)
            )
        return out


def unknown_option(name: str, known: Iterable[str]) -> InvalidOptionError:
    """The error for an argument that does not exist, with the nearest one that does."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known)}."
    return InvalidOptionError(f"generate() has no option {name!r}; {hint}")


def _check_int(name: str, value: object, *, at_least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value < at_least:
        raise InvalidOptionError(f"{name} must be a whole number >= {at_least}, got {value!r}.")


def _positive(name: str, value: object) -> float:
    ok = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf
    if not ok:
        hint = "; for the most probable token use do_sample=False" if name == "temperature" else ""
        raise InvalidOptionError(f"{name} must be a number > 0, got {value!r}{hint}.")
    return float(value)  # pyright: ignore[reportArgumentType]


def _several(value: Any) -> tuple[Any, ...]:
    """One or several -> several."""
    return (
        tuple(cast("Iterable[Any]", value)) if isinstance(value, (list, tuple, set, frozenset)) else (value,)
    )


def _ids(name: str, value: Any) -> tuple[int, ...]:
    """One id or several -> a tuple without repeats, in order."""
    ids = _several(value)
    for one in ids:
        _check_int(name, one, at_least=0)
    return tuple(dict.fromkeys(ids))


def _strings(name: str, value: Any) -> tuple[str, ...]:
    strings = _several(value)
    for one in strings:
        if not isinstance(one, str) or not one:
            raise InvalidOptionError(f"{name} must be one or more non-empty strings, got {one!r}.")
        if "\ufffd" in one:
            raise InvalidOptionError(f"{name} may not hold U+FFFD, the sign of a broken character: {one!r}.")
    return tuple(dict.fromkeys(strings))


def _is_neutral(value: object) -> bool:
    """Whether a setting of HF's says nothing: absent, off, empty, or a factor or count of one."""
    return value is not True and value in (None, False, 0, 1, "", [], {})
