"""Frozen configurations, readable from and writable to Hugging Face's `config.json`.

Every size of the network is a field here; nothing in `modeling/` is hard-coded. Defaults are the published
580M model (paper section 3; HF `GotOcr2Config`).
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from .errors import ConfigError

_C = TypeVar("_C", bound="_JsonConfig")

# The compressor after the neck is two stride-2 convolutions, so one image token covers 4 x 4 patches.
COMPRESSION = 4


def _pair(name: str, value: object) -> tuple[int, int]:
    """`n` or `[h, w]` -> `(h, w)`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value, value
    if isinstance(value, (list, tuple)):
        sides = cast("Sequence[object]", value)
        if len(sides) == 2 and isinstance(sides[0], int) and isinstance(sides[1], int):
            return sides[0], sides[1]
    raise ConfigError(f"{name} must be one whole number or a pair (height, width), got {value!r}.")


def _check_positive(config: object, *names: str) -> None:
    for name in names:
        value = getattr(config, name)
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise ConfigError(f"{type(config).__name__}.{name} must be a whole number >= 1, got {value!r}.")


def _no_extra() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True)
class _JsonConfig:
    extra: dict[str, Any] = field(default_factory=_no_extra, repr=False)

    def to_dict(self) -> dict[str, Any]:
        """A JSON-serialisable dict, `extra` keys included."""
        out: dict[str, Any] = {}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name == "extra":
                continue
            if isinstance(value, _JsonConfig):
                value = value.to_dict()
            elif isinstance(value, tuple):
                value = list(cast("tuple[object, ...]", value))
            out[f.name] = value
        return {**self.extra, **out}

    @classmethod
    def from_dict(cls: type[_C], data: Mapping[str, Any]) -> _C:
        """Builds the config; keys it does not know are kept in `extra` and written back by `to_dict`."""
        names = {f.name for f in dataclasses.fields(cls)} - {"extra"}
        known = {k: v for k, v in data.items() if k in names}
        extra = {k: v for k, v in data.items() if k not in names}
        try:
            return cls(**known, extra=extra)
        except TypeError as e:
            raise ConfigError(f"{cls.__name__} cannot be built from {known!r}: {e}.") from e


@dataclass(frozen=True)
class GotOcr2VisionConfig(_JsonConfig):
    """The ViTDet encoder (SAM ViT-B with a 256-channel neck in the published model).

    Attributes:
        hidden_size: width of the transformer.
        output_channels: channels of the neck's output.
        num_hidden_layers, num_attention_heads, mlp_dim: the usual sizes.
        num_channels: channels of the input image.
        image_size: input height and width in pixels, `n` or `(h, w)`; a multiple of `patch_size`.
        patch_size: side of a patch in pixels, `n` or `(h, w)`.
        layer_norm_eps: epsilon of the block norms; the neck's norms are fixed at 1e-6 as in HF.
        qkv_bias: whether the fused q/k/v projection has a bias.
        use_abs_pos, use_rel_pos: learned absolute and decomposed relative positions.
        window_size: side of an attention window in patches; 0 makes every layer global.
        global_attn_indexes: which layers attend over the whole picture.
        initializer_range: standard deviation of fresh weights.
    """

    hidden_size: int = 768
    output_channels: int = 256
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    num_channels: int = 3
    image_size: int | tuple[int, int] = 1024
    patch_size: int | tuple[int, int] = 16
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    initializer_range: float = 0.02
    qkv_bias: bool = True
    use_abs_pos: bool = True
    use_rel_pos: bool = True
    window_size: int = 14
    global_attn_indexes: tuple[int, ...] = (2, 5, 8, 11)
    mlp_dim: int = 3072
    model_type: str = "got_ocr2_vision"

    def __post_init__(self) -> None:
        if isinstance(self.image_size, list):
            object.__setattr__(self, "image_size", tuple(self.image_size))
        if isinstance(self.patch_size, list):
            object.__setattr__(self, "patch_size", tuple(self.patch_size))
        object.__setattr__(self, "global_attn_indexes", tuple(self.global_attn_indexes))
        _check_positive(
            self, "hidden_size", "output_channels", "num_hidden_layers", "num_attention_heads", "num_channels",
            "mlp_dim",
        )  # fmt: skip
        if self.hidden_size % self.num_attention_heads:
            raise ConfigError(
                f"vision hidden_size {self.hidden_size} is not a multiple of num_attention_heads "
                f"{self.num_attention_heads}."
            )
        for side, image, patch in zip(("height", "width"), self.image_hw, self.patch_hw, strict=True):
            if patch < 1 or image < patch or image % patch:
                raise ConfigError(
                    f"image {side} {image} is not a positive multiple of the patch {side} {patch}."
                )
        if self.window_size < 0:
            raise ConfigError(f"window_size must be >= 0, got {self.window_size}.")
        if self.hidden_act != "gelu":
            raise ConfigError(
                f'vision hidden_act must be "gelu", the only one GOT uses, got {self.hidden_act!r}.'
            )
        bad = [i for i in self.global_attn_indexes if not 0 <= i < self.num_hidden_layers]
        if bad:
            raise ConfigError(
                f"global_attn_indexes {bad} are outside layers 0..{self.num_hidden_layers - 1}."
            )

    @property
    def image_hw(self) -> tuple[int, int]:
        """Input height and width in pixels."""
        return _pair("image_size", self.image_size)

    @property
    def patch_hw(self) -> tuple[int, int]:
        """Patch height and width in pixels."""
        return _pair("patch_size", self.patch_size)

    @property
    def grid_hw(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        (h, w), (ph, pw) = self.image_hw, self.patch_hw
        return h // ph, w // pw

    @property
    def token_hw(self) -> tuple[int, int]:
        """Rows and columns of image tokens after the two stride-2 convolutions."""
        # A 3x3 convolution with stride 2 and padding 1 maps n to ceil(n / 2), twice.
        return tuple(-(-n // COMPRESSION) for n in self.grid_hw)  # pyright: ignore[reportReturnType]

    @property
    def num_image_tokens(self) -> int:
        """Tokens that one image takes in the prompt; 256 in the published model."""
        rows, cols = self.token_hw
        return rows * cols

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads


@dataclass(frozen=True)
class GotOcr2TextConfig(_JsonConfig):
    """The Qwen2 decoder (Qwen1.5-0.5B dimensions in the published model)."""

    vocab_size: int = 151860
    hidden_size: int = 1024
    intermediate_size: int = 2816
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    num_key_value_heads: int = 16
    hidden_act: str = "silu"
    max_position_embeddings: int = 32768
    initializer_range: float = 0.02
    rms_norm_eps: float = 1e-6
    use_cache: bool = True
    tie_word_embeddings: bool = True
    rope_theta: float = 1_000_000.0
    use_sliding_window: bool = False
    sliding_window: int | None = 4096
    max_window_layers: int = 21
    attention_dropout: float = 0.0
    model_type: str = "qwen2"

    def __post_init__(self) -> None:
        _check_positive(
            self, "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
            "num_key_value_heads", "max_position_embeddings",
        )  # fmt: skip
        if self.hidden_size % self.num_attention_heads or (self.hidden_size // self.num_attention_heads) % 2:
            raise ConfigError(
                f"text hidden_size {self.hidden_size} over {self.num_attention_heads} heads must give an even "
                "head size."
            )
        if self.num_attention_heads % self.num_key_value_heads:
            raise ConfigError(
                f"num_attention_heads {self.num_attention_heads} is not a multiple of num_key_value_heads "
                f"{self.num_key_value_heads}."
            )
        if self.hidden_act != "silu":
            raise ConfigError(f'text hidden_act must be "silu", got {self.hidden_act!r}.')
        if self.use_sliding_window:
            raise ConfigError("use_sliding_window=true is not supported: GOT attends over the whole context.")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GotOcr2TextConfig:
        data = dict(data)
        # transformers 5 writes the RoPE base inside `rope_parameters`.
        written = [data.pop(name, None) for name in ("rope_parameters", "rope_scaling")]
        rope = cast("Mapping[str, Any] | None", next((value for value in written if value), None))
        if rope is not None:
            kind = rope.get("rope_type", rope.get("type", "default"))
            if kind != "default":
                raise ConfigError(f'rope type {kind!r} is not supported; GOT uses "default".')
            data["rope_theta"] = float(rope.get("rope_theta", data.get("rope_theta", cls.rope_theta)))
        return super().from_dict(data)

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads


@dataclass(frozen=True)
class GotOcr2Config(_JsonConfig):
    """The whole model: encoder, connector, decoder (HF `GotOcr2Config`)."""

    vision_config: GotOcr2VisionConfig = field(default_factory=GotOcr2VisionConfig)
    text_config: GotOcr2TextConfig = field(default_factory=GotOcr2TextConfig)
    image_token_index: int = 151859
    tie_word_embeddings: bool = True
    model_type: str = "got_ocr2"

    def __post_init__(self) -> None:
        if isinstance(self.vision_config, Mapping):
            object.__setattr__(self, "vision_config", GotOcr2VisionConfig.from_dict(self.vision_config))
        if isinstance(self.text_config, Mapping):
            object.__setattr__(self, "text_config", GotOcr2TextConfig.from_dict(self.text_config))
        if not 0 <= self.image_token_index < self.text_config.vocab_size:
            raise ConfigError(
                f"image_token_index {self.image_token_index} is outside the vocabulary of "
                f"{self.text_config.vocab_size}."
            )

    def to_dict(self) -> dict[str, Any]:
        data = super().to_dict()
        data["image_seq_length"] = self.vision_config.num_image_tokens
        return data

    @classmethod
    def from_json_file(cls, path: str | Path) -> GotOcr2Config:
        """Reads a `config.json` in HF's dialect.

        Raises:
            ConfigError: the file is not JSON, or describes an impossible model.
        """
        try:
            data = json.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, ValueError) as e:
            raise ConfigError(f"{path} cannot be read as a JSON configuration: {e}.") from e
        if not isinstance(data, dict):
            raise ConfigError(f"{path} must hold a JSON object, got {type(data).__name__}.")
        return cls.from_dict(cast("dict[str, Any]", data))

    def to_json_file(self, path: str | Path) -> None:
        """Writes `config.json` in HF's dialect."""
        text = json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"
        Path(path).write_text(text, encoding="utf-8")
