"""The arguments of `from_pretrained` that code written for transformers passes.

Three kinds: where the checkpoint is (`hub.resolve` takes those), what changes nothing here, and what would change
the result. The last kind is refused in a sentence that says what to do instead.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .errors import InvalidOptionError

HUB = ("revision", "token", "cache_dir", "local_files_only")

# There is one implementation, with code of its own and safetensors only: these choose between things that are the
# same here, or say how to go about loading. None of them changes a number.
HARMLESS = frozenset({
    "trust_remote_code", "low_cpu_mem_usage", "use_safetensors", "use_fast", "resume_download", "force_download",
    "proxies", "code_revision", "_from_auto", "_commit_hash", "weights_only", "offload_folder", "offload_state_dict",
    "offload_buffers", "max_memory", "use_auth_token", "mirror", "local_dir_use_symlinks", "backend",
    "clean_up_tokenization_spaces", "output_loading_info",
})  # fmt: skip

# Values that ask for what happens anyway; any other value is refused.
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "use_safetensors": (None, True),
    "output_loading_info": (None, False),
    "subfolder": (None, ""),
    "variant": (None,),
    "quantization_config": (None,),
    "gguf_file": (None,),
    "adapter_kwargs": (None, {}),
    "ignore_mismatched_sizes": (None, False),
    "tp_plan": (None,),
    "device_mesh": (None,),
    "from_tf": (None, False),
    "from_flax": (None, False),
    "state_dict": (None,),
    "load_in_8bit": (None, False),
    "load_in_4bit": (None, False),
    "return_unused_kwargs": (None, False),
    "attn_implementation": (None, "eager", "sdpa"),
    "_attn_implementation": (None, "eager", "sdpa"),
    "padding_side": (None, "left"),
    "chat_template": (None,),
}
_INSTEAD = {
    "use_safetensors": "got-ocr2 reads safetensors only: a pickle can run code when it is loaded",
    "subfolder": "give the folder itself",
    "variant": "give a folder or revision with the weights that you mean, and dtype=",
    "quantization_config": 'quantise while reading: OCR.from_pretrained(..., quantization="int8") or "int4"',
    "load_in_8bit": 'quantise while reading: OCR.from_pretrained(..., quantization="int8")',
    "load_in_4bit": 'quantise while reading: OCR.from_pretrained(..., quantization="int4")',
    "gguf_file": "take a checkpoint in safetensors",
    "attn_implementation": 'attention here is exact and chosen by size: leave it out, or pass "eager" or "sdpa"',
    "_attn_implementation": 'attention here is exact and chosen by size: leave it out, or pass "eager" or "sdpa"',
    "padding_side": "prompts are padded on the left, where generation needs it",
    "ignore_mismatched_sizes": "every tensor must fit; change the model after loading it",
    "state_dict": "load the folder, then call model.load_state_dict",
    "output_loading_info": "loading is strict: whatever is missing or too much is an error",
    "chat_template": "the model was trained on fixed prompts: the processor writes them",
}  # fmt: skip


def check_loading(
    name: str, options: Mapping[str, Any], own: Collection[str] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Splits the keyword arguments of a `from_pretrained`.

    Args:
        name: of the class, for messages.
        options: what the caller passed.
        own: further names that the class knows; None lets any other name through.

    Returns:
        What goes to `hub.resolve`, and what is left for the class.

    Raises:
        InvalidOptionError: an unknown name, or a value that asks for something else than happens here.
    """
    hub: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    unknown: list[str] = []
    for word, value in options.items():
        if word in HUB:
            hub[word] = value
        elif own is not None and word in own:
            rest[word] = value
        elif word in _NEUTRAL:
            if value not in _NEUTRAL[word]:
                instead = _INSTEAD.get(word, "it is not supported here")
                raise InvalidOptionError(f"{name}.from_pretrained cannot obey {word}={value!r}: {instead}.")
        elif word in HARMLESS:
            pass
        elif own is None:
            rest[word] = value
        else:
            unknown.append(word)
    if unknown:
        known = ", ".join([*sorted(own or ()), *HUB])
        raise InvalidOptionError(
            f"{name}.from_pretrained does not know {', '.join(sorted(unknown))}; it knows {known}, and the arguments "
            "of transformers that change nothing here."
        )
    if "use_auth_token" in options:  # its older name
        hub.setdefault("token", options["use_auth_token"])
    if hub.get("revision") == "main":  # transformers' way to say nothing
        del hub["revision"]
    return hub, rest
