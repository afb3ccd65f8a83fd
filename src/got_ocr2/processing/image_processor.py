"""Pictures -> `pixel_values`: resize or tile, rescale, normalise (HF `GotOcr2ImageProcessorPil`)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import ConfigError, FileAccessError, InvalidOptionError
from .arguments import check_switches, is_count, is_number
from .batch import BatchFeature
from .files import folder_of, read_json, write_json
from .geometry import ResizeMode, choose_grid, fitted_size, to_thousandths
from .images import ImageLike, as_rgb
from .options import check_picture_options
from .tensors import ReturnTensors, as_requested, check_return_tensors

if TYPE_CHECKING:
    import torch

FILE_NAME = "preprocessor_config.json"
PROCESSOR_NAME = "processor_config.json"
ImageInput: TypeAlias = ImageLike | Sequence["ImageInput"]

_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
_RESAMPLING_FILTERS = range(6)  # Pillow's: nearest, lanczos, bilinear, bicubic, box, hamming
_WHITE = (255, 255, 255)


class Size(NamedTuple):
    """Height and width in pixels; `size["height"]` works too, as code written for transformers says it."""

    height: int
    width: int

    def __getitem__(self, key: Any) -> Any:
        sides: Any = (self.height, self.width)
        return getattr(self, key) if key in ("height", "width") else sides[key]


_PUBLISHED_SIZE = Size(1024, 1024)


@dataclass(frozen=True)
class GotOcr2ImageProcessor:
    """How a picture becomes the network's input. Immutable; `dataclasses.replace` makes a changed one.

    Attributes:
        size: height and width of one tile in pixels; one number for a square, or HF's dict.
        resample: Pillow's filter number; 3 is bicubic.
        image_mean, image_std: per channel, of values that were rescaled.
        do_convert_rgb: convert every mode to RGB; without it anything but RGB is refused.
        do_rescale, rescale_factor: multiply 0..255 by the factor.
        do_normalize: subtract the mean and divide by the deviation.
        crop_to_patches: cut large pictures into tiles and add the whole as a thumbnail.
        min_patches, max_patches: how many tiles, the thumbnail not counted.
        resize_mode: "squash" stretches to `size` as the published model was trained; "pad" keeps the shape
            and fills up with white at the right and the bottom.
        max_upscale: in "pad" mode, the largest factor by which a small picture grows; None sets no limit.
        extra: keys of `preprocessor_config.json` that mean nothing here; written back by `save_pretrained`.

    Raises:
        InvalidOptionError: a value is out of range.
    """

    size: Size = _PUBLISHED_SIZE
    _: KW_ONLY
    resample: int = 3
    image_mean: tuple[float, float, float] = _CLIP_MEAN
    image_std: tuple[float, float, float] = _CLIP_STD
    do_convert_rgb: bool = True
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool = True
    crop_to_patches: bool = False
    min_patches: int = 1
    max_patches: int = 12
    resize_mode: ResizeMode = "squash"
    max_upscale: float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any], repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "size", _size(self.size))
        object.__setattr__(self, "image_mean", _three("image_mean", self.image_mean))
        object.__setattr__(self, "image_std", _three("image_std", self.image_std))
        if min(self.image_std) <= 0:
            raise InvalidOptionError(f"image_std must be above 0, got {self.image_std}.")
        if self.resample not in _RESAMPLING_FILTERS:
            raise InvalidOptionError(f"resample must be one of Pillow's filters 0..5, got {self.resample!r}.")
        if self.resize_mode not in ("squash", "pad"):
            raise InvalidOptionError(f'resize_mode must be "squash" or "pad", got {self.resize_mode!r}.')
        if self.max_upscale is not None and not (is_number(self.max_upscale) and self.max_upscale > 0):
            raise InvalidOptionError(f"max_upscale must be above 0 or None, got {self.max_upscale!r}.")
        if not is_number(self.rescale_factor):
            raise InvalidOptionError(f"rescale_factor must be a finite number, got {self.rescale_factor!r}.")
        check_switches(
            do_convert_rgb=self.do_convert_rgb,
            do_rescale=self.do_rescale,
            do_normalize=self.do_normalize,
            crop_to_patches=self.crop_to_patches,
        )
        _check_patches(self.min_patches, self.max_patches)

    def __call__(
        self,
        images: ImageInput,
        *,
        return_tensors: ReturnTensors | None = "pt",
        device: torch.device | str | int | None = None,
        **options: Any,
    ) -> BatchFeature:
        """Turns pictures into the network's input.

        Args:
            images: one picture or a list of them, lists of pages flattened; see `as_rgb` for what a picture is.
            return_tensors: "pt" for a torch tensor, "np" or None for a numpy array.
            device: where the tensor shall be; the work is done on the CPU.
            **options: `crop_to_patches`, `max_patches`, `size` and any other setting, for this call; None leaves it.
                Arguments of transformers' that change nothing are accepted.

        Returns:
            `pixel_values`, float32 (N, 3, H, W), the tiles of all pictures in order; and `num_patches`, how
            many of them each picture takes, thumbnail included.

        Raises:
            InvalidOptionError: no picture, not a picture, or an option unknown or out of range.
            InputError: a picture cannot be decoded.
        """
        check_return_tensors(return_tensors)
        settings = self.with_options(options)
        tiles: list[Image.Image] = []
        num_patches: list[int] = []
        for image in flatten(images):
            found = settings._tiles(settings.convert(image))
            tiles += found
            num_patches.append(len(found))
        if not tiles:
            raise InvalidOptionError("At least one image is needed, got an empty list.")
        pixels = as_requested(settings._normalised(tiles), return_tensors)
        batch = BatchFeature(pixel_values=pixels, num_patches=num_patches)
        return batch if device is None else batch.to(device=device)

    preprocess = __call__

    def with_options(self, options: Mapping[str, Any]) -> GotOcr2ImageProcessor:
        """This processor with settings replaced for one call; see `__call__`."""
        names = {f.name for f in fields(self)} - {"extra"}
        check_picture_options({name: value for name, value in options.items() if name not in names})
        changes = {name: value for name, value in options.items() if name in names and value is not None}
        return replace(self, **changes) if changes else self

    def get_number_of_image_patches(
        self, height: int, width: int, images_kwargs: Mapping[str, Any] | None = None
    ) -> int:
        """How many tiles a picture of this size takes, thumbnail included; `images_kwargs` as for a call."""
        settings = self.with_options(images_kwargs or {})
        rows, cols = settings._grid((height, width))
        return rows * cols + (rows * cols > 1)

    def convert(self, image: ImageLike) -> Image.Image:
        """The upright RGB picture that the network will see, at its own size."""
        rgb = as_rgb(image)
        if not self.do_convert_rgb and rgb is not image:
            raise InvalidOptionError(
                "do_convert_rgb is off, so images must be upright Pillow images of mode RGB."
            )
        return rgb

    def empty_canvas(self) -> NDArray[np.float32]:
        """What fills up in "pad" mode, as the network sees it: `(3, H, W)`."""
        height, width = self.size
        return self._normalised([Image.new("RGB", (width, height), _WHITE)])[0]

    def box_in_thousandths(self, points: Sequence[float], image_hw: tuple[int, int]) -> list[int]:
        """Alternating x and y in pixels of the picture -> thousandths of what the network sees (0..1000)."""
        fitted = fitted_size(image_hw, self.size, self.resize_mode, self.max_upscale)
        return to_thousandths(points, image_hw, fitted, self.size)

    def _grid(self, image_hw: tuple[int, int]) -> tuple[int, int]:
        """Rows and columns of the tiles of a picture."""
        if not self.crop_to_patches or self.max_patches == 1:
            return 1, 1
        height, width = self.size
        # HF compares the picture with a grid of squares even where tiles are oblong; padding must not.
        aspect = width / height if self.resize_mode == "pad" else 1.0
        return choose_grid(image_hw, self.size, self.min_patches, self.max_patches, tile_aspect=aspect)

    def _tiles(self, image: Image.Image) -> list[Image.Image]:
        """One picture -> its tiles, row by row, then the thumbnail if there is more than one tile."""
        height, width = self.size
        rows, cols = self._grid((image.height, image.width))
        canvas = self._resized(image, (rows * height, cols * width))
        tiles = [
            canvas.crop((col * width, row * height, (col + 1) * width, (row + 1) * height))
            for row in range(rows)
            for col in range(cols)
        ]
        return tiles if len(tiles) == 1 else [*tiles, self._resized(image, self.size)]

    def _resized(self, image: Image.Image, canvas_hw: tuple[int, int]) -> Image.Image:
        image_hw = (image.height, image.width)
        height, width = fitted_size(image_hw, canvas_hw, self.resize_mode, self.max_upscale)
        resized = image.resize((width, height), Image.Resampling(self.resample))
        if (height, width) == canvas_hw:
            return resized
        canvas = Image.new("RGB", (canvas_hw[1], canvas_hw[0]), _WHITE)
        canvas.paste(resized, (0, 0))
        return canvas

    def _normalised(self, tiles: Sequence[Image.Image]) -> NDArray[np.float32]:
        """RGB tiles -> float32 (N, 3, H, W). A byte has 256 values, so the arithmetic is one small table."""
        levels = np.arange(256, dtype=np.float64)
        if self.do_rescale:
            levels *= self.rescale_factor
        table = np.tile(levels.astype(np.float32), (3, 1))  # (3, 256)
        if self.do_normalize:
            # In float32, in HF's order, so that the result is equal to the last bit.
            mean, std = (np.array(v, dtype=np.float32)[:, None] for v in (self.image_mean, self.image_std))
            table = (table - mean) / std
        pixels = np.empty((len(tiles), 3, *self.size), dtype=np.float32)
        for tile, out in zip(tiles, pixels, strict=True):
            rgb = np.asarray(tile)  # (H, W, 3) uint8
            for channel in range(3):
                np.take(table[channel], rgb[..., channel], out=out[channel], mode="clip")
        return pixels

    def to_dict(self) -> dict[str, Any]:
        """The contents of `preprocessor_config.json` in HF's dialect."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "extra"}
        return {
            **self.extra,
            **own,
            "size": {"height": self.size[0], "width": self.size[1]},
            "image_mean": list(self.image_mean),
            "image_std": list(self.image_std),
            "do_resize": True,
            "image_processor_type": "GotOcr2ImageProcessor",
            "processor_class": "GotOcr2Processor",
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> GotOcr2ImageProcessor:
        """Builds it from `to_dict`'s form; unknown keys go to `extra`, nulls mean the default.

        Raises:
            ConfigError: a value cannot be right.
        """
        if data.get("do_resize") is False:
            raise ConfigError("do_resize=false is not supported: the network takes one size only.")
        names = {f.name for f in fields(cls)} - {"extra"}
        known: dict[str, Any] = {k: v for k, v in data.items() if k in names and v is not None}
        derived = {"do_resize", "image_processor_type", "processor_class"}
        extra = {k: v for k, v in data.items() if k not in names | derived}
        try:
            return cls(**known, extra=extra)
        except InvalidOptionError as e:
            raise ConfigError(f"The image processor's configuration is wrong: {e}") from e

    @classmethod
    def from_pretrained(cls, repo_or_folder: str | os.PathLike[str], **options: Any) -> GotOcr2ImageProcessor:
        """Reads the image processor of a checkpoint, as transformers 4 or 5 saves it.

        Args:
            repo_or_folder: a local folder, or "owner/name" on the hub.
            **options: settings that replace the saved ones, and what `files.folder_of` takes.

        Raises:
            FileAccessError: the file is missing or may not be read.
            CheckpointError: the checkpoint cannot be found.
            ConfigError: it is not JSON or describes nothing that can be built.
        """
        names = {f.name for f in fields(cls)} - {"extra"}
        changes = {name: value for name, value in options.items() if name in names}
        others = {name: value for name, value in options.items() if name not in names}
        folder = folder_of(cls.__name__, repo_or_folder, others)
        found = saved_in(folder)
        if found is None:
            raise FileAccessError(f"{folder} holds neither {FILE_NAME} nor {PROCESSOR_NAME} with it.")
        return replace(cls.from_dict(found), **changes)

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Writes `preprocessor_config.json`, which transformers reads too."""
        write_json(Path(folder) / FILE_NAME, self.to_dict())


def saved_in(folder: Path) -> Mapping[str, Any] | None:
    """The image processor's settings in a folder, wherever transformers 4 or 5 put them; None if there are none."""
    if (folder / PROCESSOR_NAME).is_file():
        inside = read_json(folder / PROCESSOR_NAME).get("image_processor")
        if isinstance(inside, Mapping):
            return cast(Mapping[str, Any], inside)
    return read_json(folder / FILE_NAME) if (folder / FILE_NAME).is_file() else None


def flatten(images: ImageInput) -> Iterator[ImageLike]:
    """Every picture in lists of lists, in order."""
    if isinstance(images, (list, tuple)):
        for item in cast(Sequence[ImageInput], images):
            yield from flatten(item)
    else:
        yield cast(ImageLike, images)


def _size(value: object) -> Size:
    pair: object = value
    if isinstance(value, Mapping):
        named = cast(Mapping[str, object], value)
        pair = (named.get("height"), named.get("width"))
    elif isinstance(value, int):
        pair = (value, value)
    if isinstance(pair, (list, tuple)):
        sides = cast(Sequence[object], pair)
        if len(sides) == 2 and all(is_count(side) for side in sides):
            return Size(*cast(tuple[int, int], tuple(sides)))
    raise InvalidOptionError(
        f"size must be height and width, or one number for both, in whole pixels >= 1, got {value!r}."
    )


def _three(name: str, value: object) -> tuple[float, float, float]:
    numbers = cast(Sequence[object], value if isinstance(value, (list, tuple)) else ())
    if len(numbers) == 3 and all(is_number(n) for n in numbers):
        return cast(tuple[float, float, float], tuple(numbers))
    raise InvalidOptionError(f"{name} must be three finite numbers, one for each channel, got {value!r}.")


def _check_patches(lowest: object, highest: object) -> None:
    for name, value in (("min_patches", lowest), ("max_patches", highest)):
        if not is_count(value):
            raise InvalidOptionError(f"{name} must be a whole number >= 1, got {value!r}.")
    if cast(int, lowest) > cast(int, highest):
        raise InvalidOptionError(f"min_patches {lowest} is above max_patches {highest}.")
