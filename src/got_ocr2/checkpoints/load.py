"""A checkpoint folder in any known layout -> a model, checked tensor by tensor."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from ..config import CONFIG_NAME, GotOcr2Config, parse_config, read_json, stored_dtype
from ..errors import CheckpointError, ConfigError, InvalidOptionError
from ..hub import resolve
from ..pretrained import check_loading
from .empty_model import empty_model
from .generation_config import read_generation_defaults
from .layouts import EMBEDDING, HEAD
from .stored_model import Stored, StoredModel
from .weights import StoredTensor, read, scan

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_NAMED_IN_FULL = 5  # tensors that one message names before it only counts


def load_model_as(
    model_class: Callable[[GotOcr2Config], Stored],
    repo_or_folder: str | PathLike[str],
    *,
    device: str | int | torch.device | None = None,
    device_map: str | int | torch.device | Mapping[str, Any] | None = None,
    dtype: str | torch.dtype | None = None,
    torch_dtype: str | torch.dtype | None = None,
    config: GotOcr2Config | None = None,
    **others: Any,
) -> Stored:
    """Loads a model from the hub or a folder, in eval mode.

    The model is built on the meta device and the stored tensors become its parameters, so that about one copy
    of the weights is ever in memory. On the CPU and without a change of dtype they stay backed by the file.

    Args:
        model_class: makes the network from its configuration.
        repo_or_folder: a local folder or "owner/name"; the original, Hugging Face or unquantised MLX layout,
            one safetensors file or several.
        device: "cpu" (default), "cuda", "cuda:1", "mps", or "auto" for the best one there is.
        device_map: the same in transformers' words; also `{"": device}`. No model is spread over several.
        dtype: "float32", "bfloat16", "float16", a torch dtype, or "auto" (default), which is what
            `config.json` says, or else what most weights are stored in.
        torch_dtype: transformers' older word for `dtype`.
        config: instead of the checkpoint's own, for weights without a `config.json`.
        **others: `revision`, `token`, `cache_dir` and `local_files_only`, see `hub.resolve`; arguments of
            transformers' `from_pretrained` that change nothing here, see `pretrained.check_loading`.

    Raises:
        CheckpointError: the checkpoint cannot be found, or a tensor is missing, unknown or misshapen.
        ConfigError: `config.json` describes no GOT-OCR2 model.
        InvalidOptionError: an option is impossible here, or contradicts another one.
    """
    place = _device(_one("device", device, "device_map", device_map))
    wanted = _one("dtype", dtype, "torch_dtype", torch_dtype)
    _dtype(wanted, "float32")  # an impossible one is refused before a long download
    own = ("config", "device", "device_map", "dtype", "torch_dtype")
    hub, _ = check_loading("GotOcr2ForConditionalGeneration", others, own)
    folder = resolve(repo_or_folder, **hub)
    data: dict[str, Any] = {}
    if config is None:
        if (folder / "trainer_state.json").is_file() and not (folder / CONFIG_NAME).is_file():
            raise CheckpointError(
                f"{folder} was written by transformers.Trainer and holds no {CONFIG_NAME}; pass config=..., and put "
                "got_ocr2.integrations.trainer.WholeCheckpoints before Trainer to have it stored."
            )
        data = read_json(folder / CONFIG_NAME)
        try:
            config = parse_config(data)
        except ConfigError as e:
            raise ConfigError(f"{folder / CONFIG_NAME}: {e}") from e
    _, tensors = scan(folder)
    model = empty_model(model_class, config)
    if config.tie_word_embeddings:
        _drop_tied_head(folder, tensors)
    _check(folder, model, tensors, tied=config.tie_word_embeddings)

    target = _dtype(wanted, stored_dtype(data) or _most_common(tensors))
    state = dict(read(tensors, lambda t: t.to(place, target)))
    if config.tie_word_embeddings:
        state[HEAD] = state[EMBEDDING]
    model.load_state_dict(state, strict=True, assign=True)
    model.tie_weights()
    model.generation_defaults = read_generation_defaults(folder)
    model.eval()
    return model


def dtype_named(value: str | torch.dtype) -> torch.dtype:
    """The dtype that an option names, such as "float32" or torch's own.

    Raises:
        InvalidOptionError: models have no such dtype.
    """
    return _dtype(value, "")


def stored_dtypes(folder: Path) -> tuple[str, ...]:
    """The dtypes in which a checkpoint's weights lie in its files, such as "bfloat16", sorted.

    Raises:
        CheckpointError: see `weights.scan`.
    """
    _, tensors = scan(folder)
    return tuple(sorted({_plain(stored.dtype) for stored in tensors.values()}))


def _one(name: str, value: Any, alias: str, other: Any) -> Any:
    """The one value of an option that has two names."""
    if value is not None and other is not None and _plain(value) != _plain(other):
        raise InvalidOptionError(f"{name}={value!r} and {alias}={other!r} contradict each other.")
    return other if value is None else value


def _plain(value: Any) -> str:
    """ "cuda" for a device and "float16" for a dtype, whether they are torch's objects or words."""
    return str(value).removeprefix("torch.")


def _device(value: Any) -> torch.device:
    if isinstance(value, Mapping):
        by_module = dict(cast("Mapping[str, Any]", value))
        if set(by_module) != {""}:
            raise InvalidOptionError(f"device_map must be a device or {{'': device}}, got {by_module!r}.")
        value = by_module[""]
    if value is None:
        return torch.device("cpu")
    if value == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(f"cuda:{value}" if isinstance(value, int) else value)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as e:
        # torch says "not compiled with CUDA" by assertion, the rest by RuntimeError.
        reason = str(e).strip().partition("\n")[0].rstrip(".")
        raise InvalidOptionError(f"Device {value!r} cannot be used here: {reason}.") from e
    if device.type == "meta":
        raise InvalidOptionError('Device "meta" holds no weights; build the model from its config instead.')
    return device


def _dtype(value: str | torch.dtype | None, stored: str) -> torch.dtype:
    """The dtype to load in; `stored` stands for "auto"."""
    name = stored if value is None else _plain(value)
    if name == "auto":
        name = stored
    if name not in _DTYPES:
        raise InvalidOptionError(f'dtype must be "auto" or one of {", ".join(_DTYPES)}, got {name!r}.')
    return _DTYPES[name]


def _most_common(tensors: Mapping[str, StoredTensor]) -> str:
    counts: Counter[torch.dtype] = Counter()
    for stored in tensors.values():
        counts[stored.dtype] += stored.nbytes
    return _plain(counts.most_common(1)[0][0])


def _drop_tied_head(folder: Path, tensors: dict[str, StoredTensor]) -> None:
    """Leaves out a stored head that repeats the embedding, as original checkpoints have it.

    Raises:
        CheckpointError: the head differs from the embedding that it is said to share.
    """
    head, embedding = tensors.get(HEAD), tensors.get(EMBEDDING)
    if head is None or embedding is None:
        return
    same = head.shape == embedding.shape
    if same:
        pair = dict(read({HEAD: head, EMBEDDING: embedding}, lambda t: t))
        same = torch.equal(pair[HEAD], pair[EMBEDDING])
    if not same:
        raise CheckpointError(
            f"{folder}: tie_word_embeddings is true, but {head.name} differs from {embedding.name}."
        )
    del tensors[HEAD]


def _check(folder: Path, model: StoredModel, tensors: Mapping[str, StoredTensor], *, tied: bool) -> None:
    """Refuses a checkpoint whose tensors are not exactly the model's."""
    expected: dict[str, Tensor] = model.state_dict()
    if tied:
        expected.pop(HEAD, None)
    missing = [name for name in expected if name not in tensors]
    extra = [stored.name for name, stored in tensors.items() if name not in expected]
    misshapen = [
        f"{stored.name} is {_sides(stored.shape)} but must be {_sides(expected[name].shape)}"
        for name, stored in tensors.items()
        if name in expected and stored.shape != tuple(expected[name].shape)
    ]
    faults = (("missing", missing), ("not part of the model", extra), ("misshapen", misshapen))
    said = "; ".join(f"{fault}: {_list(names)}" for fault, names in faults if names)
    if said:
        raise CheckpointError(f"{folder} does not fit the model that its {CONFIG_NAME} describes. {said}.")


def _sides(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))


def _list(names: list[str]) -> str:
    more = len(names) - _NAMED_IN_FULL
    return ", ".join(names[:_NAMED_IN_FULL]) + (f" and {more} more" if more > 0 else "")
