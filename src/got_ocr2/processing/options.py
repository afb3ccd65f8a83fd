"""Arguments that code written for transformers passes and that change nothing here, or are refused by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import InvalidOptionError

# Values that ask for what happens anyway. A name that is not here is unknown.
_DECODE = {
    "clean_up_tokenization_spaces": (
        None,
        False,
        True,
    ),  # transformers ignores it for this kind of vocabulary
    "spaces_between_special_tokens": (None, False),
    "use_source_tokenizer": (None, False),
}
_TEXT = {
    "add_special_tokens": (None, True, False),  # there are none to add
    "return_attention_mask": (None, True),
    "return_token_type_ids": (None, False),
    "return_overflowing_tokens": (None, False),
    "return_special_tokens_mask": (None, False),
    "return_offsets_mapping": (None, False),
    "return_length": (None, False),
    "return_mm_token_type_ids": (None, False),
    "return_text_replacement_offsets": (None, False),
    "is_split_into_words": (None, False),
    "pad_to_multiple_of": (None,),
    "stride": (None, 0),
    "split_special_tokens": (None, False),
    "verbose": (None, True, False),
    "text_pair": (None,),
    "text_target": (None,),
    "tokenizer_kwargs": (None,),
}
_PICTURE = {
    "do_resize": (None, True),
    "do_pad": (None, False),
    "do_center_crop": (None, False),
    "data_format": (None, "channels_first"),
    "disable_grouping": (None, True, False),  # how transformers goes about it
    "videos": (None,),
    "audio": (None,),
}


def check_decode_options(options: Mapping[str, Any]) -> None:
    """Refuses what `decode` cannot do; lets pass what changes nothing."""
    _check("decode", options, _DECODE)


def check_text_options(options: Mapping[str, Any]) -> None:
    """Refuses what the tokenizer cannot do; lets pass what changes nothing."""
    _check("The tokenizer", options, _TEXT)


def check_picture_options(options: Mapping[str, Any]) -> None:
    """Refuses what the image processor cannot do; lets pass what changes nothing."""
    _check("The image processor", options, _PICTURE)


def check_processor_options(options: Mapping[str, Any]) -> None:
    """Refuses what neither of them can do; lets pass what changes nothing."""
    _check("The processor", options, {**_TEXT, **_PICTURE})


def _check(name: str, options: Mapping[str, Any], neutral: Mapping[str, tuple[Any, ...]]) -> None:
    unknown = sorted(word for word in options if word not in neutral)
    if unknown:
        raise InvalidOptionError(f"{name} does not know the argument {', '.join(unknown)}.")
    for word, value in options.items():
        if value not in neutral[word]:
            raise InvalidOptionError(f"{name} cannot obey {word}={value!r}; leave it out.")
