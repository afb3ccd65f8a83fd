"""The three configurations of a GOT-OCR2 model, readable from and writable to Hugging Face's `config.json`.

Every size of the network is a field here; nothing in `modeling/` is hard-coded. Defaults are the published
580M model (paper section 3; HF `GotOcr2Config`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar, cast

from ..errors import ConfigError, FileAccessError
from ..hub import resolve
from ..pretrained import check_loading
from . import dialects
from .fields import JsonConfig, check_above_zero, check_positive, pair

# The compressor after the neck is two stride-2 convolutions, so one image token covers 4 x 4 patches.
COMPRESSION = 4

# What the MLPs may apply; `modeling.activations` has the functions.
_MOST_LAYERS = 1000
ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu")


@dataclass
class GotOcr2VisionConfig(JsonConfig):
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
        hidden_act: see `ACTIVATIONS`; GOT uses "gelu". The fast back ends know only that one.
        global_attn_indexes: which layers attend over the whole picture; a number that no layer has means nothing, as
            in transformers, whose defaults go to 11 however few layers there are.
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

    def check(self) -> None:
        if isinstance(self.image_size, list):
            self.__dict__["image_size"] = tuple(self.image_size)
        if isinstance(self.patch_size, list):
            self.__dict__["patch_size"] = tuple(self.patch_size)
        self.__dict__["global_attn_indexes"] = tuple(self.global_attn_indexes)
        check_positive(
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
        check_above_zero(self, "layer_norm_eps")
        widest = max(64, 4 * max(self.grid_hw))
        if not 0 <= self.window_size <= widest:
            raise ConfigError(
                f"window_size must be 0 to {widest} for these pictures, got {self.window_size}."
            )
        _check_layers(self)
        _check_activation("vision", self.hidden_act)
        if any(i < 0 for i in self.global_attn_indexes):
            raise ConfigError(f"global_attn_indexes must be >= 0, got {list(self.global_attn_indexes)}.")

    @property
    def image_hw(self) -> tuple[int, int]:
        """Input height and width in pixels."""
        return pair("image_size", self.image_size)

    @property
    def patch_hw(self) -> tuple[int, int]:
        """Patch height and width in pixels."""
        return pair("patch_size", self.patch_size)

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


@dataclass
class GotOcr2TextConfig(JsonConfig):
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

    def check(self) -> None:
        check_positive(
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
        check_above_zero(self, "rms_norm_eps", "rope_theta")
        _check_layers(self)
        _check_activation("text", self.hidden_act)
        if self.use_sliding_window:
            raise ConfigError("use_sliding_window=true is not supported: GOT attends over the whole context.")

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], **changes: Any) -> GotOcr2TextConfig:
        data = {**data, **changes}
        # transformers 5 writes the RoPE base inside `rope_parameters`.
        written = [data.pop(name, None) for name in ("rope_parameters", "rope_scaling")]
        rope = cast("Mapping[str, Any] | None", next((value for value in written if value), None))
        if rope is not None:
            if not isinstance(rope, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]
                raise ConfigError(f"rope_parameters must be an object, got {rope!r}.")
            kind = rope.get("rope_type", rope.get("type", "default"))
            if kind != "default":
                raise ConfigError(f'rope type {kind!r} is not supported; GOT uses "default".')
            data["rope_theta"] = rope.get("rope_theta", data.get("rope_theta", cls.rope_theta))
        return super().from_dict(data)

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads


@dataclass
class GotOcr2Config(JsonConfig):
    """The whole model: encoder, connector, decoder (HF `GotOcr2Config`)."""

    vision_config: GotOcr2VisionConfig = field(default_factory=GotOcr2VisionConfig)
    text_config: GotOcr2TextConfig = field(default_factory=GotOcr2TextConfig)
    _aliases: ClassVar[Mapping[str, str]] = {"image_token_id": "image_token_index"}

    image_token_index: int = 151859
    tie_word_embeddings: bool = True
    model_type: str = "got_ocr2"

    def check(self) -> None:
        if isinstance(self.vision_config, Mapping):
            self.__dict__["vision_config"] = GotOcr2VisionConfig.from_dict(self.vision_config)
        if isinstance(self.text_config, Mapping):
            self.__dict__["text_config"] = GotOcr2TextConfig.from_dict(self.text_config)
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
    def from_json_file(cls, path: str | PathLike[str]) -> GotOcr2Config:
        """Reads a `config.json` in HF's dialect.

        Raises:
            ConfigError: the file is not JSON, or describes an impossible model.
        """
        return super().from_json_file(path)

    def get_text_config(self, decoder: bool | None = None, encoder: bool | None = None) -> GotOcr2TextConfig:
        """The decoder's part, whatever is asked: there is one."""
        return self.text_config

    @classmethod
    def from_pretrained(cls, repo_or_folder: str | PathLike[str], **options: Any) -> GotOcr2Config:
        """Reads the `config.json` of a checkpoint, in any dialect.

        Args:
            repo_or_folder: a local folder, its `config.json`, or "owner/name" on the hub.
            **options: `revision`, `token`, `cache_dir` and `local_files_only` go to `hub.resolve`; arguments of
                transformers' that change nothing are accepted; fields replace what the file says.

        Raises:
            CheckpointError: the checkpoint cannot be found or holds no configuration.
            ConfigError: it describes another architecture, or an impossible model.
        """
        hub, rest = check_loading(cls.__name__, options)
        path = Path(repo_or_folder).expanduser()
        if not path.is_file():
            path = resolve(repo_or_folder, weights=False, **hub) / dialects.CONFIG_NAME
        config = parse_config(dialects.read_json(path))
        config.update(rest)
        return config

    def save_pretrained(self, folder: str | PathLike[str]) -> None:
        """Writes `config.json`, which transformers reads too; makes the folder if need be.

        Raises:
            FileAccessError: the file cannot be written.
        """
        folder = Path(folder).expanduser()
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise FileAccessError(f"{folder} cannot be made: {e.strerror}.") from e
        self.to_json_file(folder / dialects.CONFIG_NAME)


def parse_config(data: Mapping[str, Any]) -> GotOcr2Config:
    """Any dialect of `config.json`, already parsed -> `GotOcr2Config`.

    Raises:
        ConfigError: it describes another architecture, or an impossible model.
    """
    text_fields = {f.name for f in fields(GotOcr2TextConfig)} - {"extra", "model_type"}
    return GotOcr2Config.from_dict(dialects.as_hugging_face(data, text_fields))


def _check_layers(config: GotOcr2VisionConfig | GotOcr2TextConfig) -> None:
    if config.num_hidden_layers > _MOST_LAYERS:
        raise ConfigError(
            f"{type(config).__name__}.num_hidden_layers must be at most {_MOST_LAYERS}, got {config.num_hidden_layers}."
        )


def _check_activation(part: str, value: object) -> None:
    if value not in ACTIVATIONS:
        raise ConfigError(f"{part} hidden_act must be one of {', '.join(ACTIVATIONS)}, got {value!r}.")
