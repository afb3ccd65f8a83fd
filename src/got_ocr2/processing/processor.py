"""`GotOcr2Processor`: pictures and a reading task -> the ids and pixels of one batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, Union, cast

from PIL import Image

from ..errors import ConfigError, FileAccessError, InvalidOptionError
from . import image_processor as image_files
from . import tiktoken_file
from . import tokenizer as tokenizer_files
from .arguments import (
    boxes_of_documents,
    check_switches,
    checked_box,
    colors_of_documents,
    is_count,
    pages_of_documents,
    texts_of_documents,
)
from .batch import BatchFeature
from .files import read_json, write_json
from .image_processor import GotOcr2ImageProcessor, ImageInput
from .padding import Padding, pad_rows
from .prompts import Dialect, Question, check_dialect, frame
from .tensors import ReturnTensors
from .tokenizer import GotOcr2Tokenizer, Ids

FILE_NAME = "processor_config.json"
Numbers: TypeAlias = Sequence[float]
ImageOpener: TypeAlias = Callable[[Union[str, "os.PathLike[str]"]], Image.Image]


class GotOcr2Processor:
    """Builds what `GotOcr2ForConditionalGeneration.generate` takes (HF `GotOcr2Processor`).

    Attributes:
        image_processor: how pictures become pixels.
        tokenizer: how text becomes ids.
        num_image_tokens: ids that one tile takes in the prompt (`GotOcr2VisionConfig.num_image_tokens`).
        dialect: the wording of prompts, "hf" or "original"; see `prompts`.
        opener: opens a path or address that stands in the place of a picture; without one, those are refused.
    """

    def __init__(
        self,
        image_processor: GotOcr2ImageProcessor,
        tokenizer: GotOcr2Tokenizer,
        num_image_tokens: int = 256,
        dialect: Dialect = "hf",
        *,
        opener: ImageOpener | None = None,
    ) -> None:
        """Raises:
        InvalidOptionError: a count or dialect that cannot be.
        """
        check_dialect(dialect)
        if not is_count(num_image_tokens):
            raise InvalidOptionError(
                f"num_image_tokens must be a whole number >= 1, got {num_image_tokens!r}."
            )
        self.image_processor = image_processor
        self.tokenizer = tokenizer
        self.num_image_tokens = num_image_tokens
        self.dialect: Dialect = dialect
        self.opener = opener
        self._extra: dict[str, Any] = {}

    def __call__(
        self,
        images: ImageInput | str | os.PathLike[str] | Sequence[Any] | None = None,
        text: str | Sequence[str] | None = None,
        *,
        box: Numbers | Sequence[Numbers | None] | None = None,
        color: str | Sequence[str | None] | None = None,
        format: bool = False,
        multi_page: bool = False,
        crop_to_patches: bool | None = None,
        min_patches: int | None = None,
        max_patches: int | None = None,
        return_tensors: ReturnTensors | None = "pt",
        padding: Padding = True,
        **unknown: Any,
    ) -> BatchFeature:
        """Builds one batch; each picture is a document of its own unless `multi_page`.

        Args:
            images: a picture or a list of them. With `multi_page`, a list is one document and a list of lists
                is several. A picture is a Pillow image, a numpy array (H, W[, C]), a torch tensor
                ([C,] H, W), or a path or address if there is an `opener`.
            text: whole prompts to use instead of building them, one for all or one for each document. Each
                has `<imgpad>` once, or once for each page, or already as often as the pictures take ids.
            box: `[x1, y1, x2, y2]` in pixels of the upright picture, 0 to its width and height; one for all
                pictures, or a list with a box or None for each. In the "original" dialect also a point,
                `[x, y]`.
            color: colour of the frame whose inside is read; one for all documents or a list with one for
                each. In the "original" dialect red, green or blue.
            format: ask for formatted text instead of plain.
            multi_page: the pictures are pages that are read in one go.
            crop_to_patches: read each picture in tiles of full size as well; None leaves it to the image
                processor's setting, as do None for `min_patches` and `max_patches`.
            return_tensors: "pt", "np", or None for lists of ids and a numpy array of pixels.
            padding: pad short prompts on the left to the longest; False leaves them as they are.

        Returns:
            `input_ids` and `attention_mask`, int64 (B, T), and `pixel_values`, float32 (N, 3, H, W): the
            tiles of all pages of all documents, in order.

        Raises:
            InvalidOptionError: an argument is unknown, wrong, or contradicts another one.
            InputError: a picture cannot be decoded.
        """
        if unknown:
            names = ", ".join(sorted(unknown))
            raise InvalidOptionError(f"{type(self).__name__} does not know the argument {names}.")
        check_switches(format=format, multi_page=multi_page)
        documents = [
            [self.image_processor.convert(self._opened(page)) for page in pages]
            for pages in pages_of_documents(images, multi_page)
        ]
        boxes = boxes_of_documents(box, len(documents))
        colors = colors_of_documents(color, len(documents))
        prompts = texts_of_documents(text, len(documents))
        crop = self.image_processor.crop_to_patches if crop_to_patches is None else crop_to_patches
        if prompts is None:
            prompts = [
                self._prompt(pages[0], points, name, format=format, multi_page=multi_page, patches=crop)
                for pages, points, name in zip(documents, boxes, colors, strict=True)
            ]
        elif format or box is not None or color is not None:
            raise InvalidOptionError("text is the whole prompt, so box, color and format cannot go with it.")

        batch = self.image_processor(
            documents,
            crop_to_patches=crop,
            min_patches=min_patches,
            max_patches=max_patches,
            return_tensors=return_tensors,
        )
        tiles = iter(cast(list[int], batch.num_patches))
        rows = [
            self._ids(prompt, [next(tiles) for _ in pages])
            for prompt, pages in zip(prompts, documents, strict=True)
        ]
        ids = pad_rows(rows, self.tokenizer.pad_token_id, padding, return_tensors)
        return BatchFeature(**ids, pixel_values=batch.pixel_values)

    def decode(self, ids: Ids, skip_special_tokens: bool = True) -> str:
        """`GotOcr2Tokenizer.decode`."""
        return self.tokenizer.decode(ids, skip_special_tokens)

    def batch_decode(self, rows: Iterable[Ids], skip_special_tokens: bool = True) -> list[str]:
        """`GotOcr2Tokenizer.batch_decode`."""
        return self.tokenizer.batch_decode(rows, skip_special_tokens)

    def _opened(self, image: Any) -> Any:
        if not isinstance(image, (str, os.PathLike)):
            return image
        path = cast("str | os.PathLike[str]", image)
        if self.opener is None:
            raise InvalidOptionError(
                f"This processor opens no files or addresses; pass the picture of {os.fspath(path)!r} itself."
            )
        return self.opener(path)

    def _prompt(
        self,
        page: Image.Image,
        points: Sequence[Any] | None,
        color: str | None,
        *,
        format: bool,
        multi_page: bool,
        patches: bool,
    ) -> str:
        """The prompt of one document, with `<imgpad>` once."""
        thousandths = None
        if points is not None:
            image_hw = (page.height, page.width)
            inside = checked_box(points, image_hw, point_allowed=self.dialect == "original")
            thousandths = self.image_processor.box_in_thousandths(inside, image_hw)
        question = Question(
            format=format, box=thousandths, color=color, multi_page=multi_page, patches=patches
        )
        names = self.tokenizer
        return frame(
            question.wording(self.dialect),
            start=names.message_start_token,
            end=names.eos_token,
            image=names.image_start_token + names.image_token + names.image_end_token,
        )

    def _ids(self, prompt: str, tiles: Sequence[int]) -> list[int]:
        """Ids of a prompt whose `<imgpad>`s are made as many as the tiles of its pages take."""
        image_id = self.tokenizer.image_token_id
        total = sum(tiles) * self.num_image_tokens
        ids = self.tokenizer.encode(prompt)
        found = ids.count(image_id)
        if found == total:
            return ids
        if found not in (1, len(tiles)):
            raise InvalidOptionError(
                f"The prompt has {self.tokenizer.image_token} {found} times; it needs it once, or once for "
                f"each of {len(tiles)} pages, or {total} times."
            )
        per_placeholder = iter([total] if found == 1 else [n * self.num_image_tokens for n in tiles])
        return [
            i for token in ids for i in ([image_id] * next(per_placeholder) if token == image_id else [token])
        ]

    # --- files ------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls, folder: str | os.PathLike[str], *, opener: ImageOpener | None = None
    ) -> GotOcr2Processor:
        """Reads the processor of a checkpoint folder, in any layout.

        - got-ocr2 and transformers 4: `processor_config.json` (optional) beside `preprocessor_config.json`;
        - transformers 5: `processor_config.json` with the image processor inside;
        - original: `qwen.tiktoken` alone. It means 1024x1024 pictures, 256 ids each, and the "original"
            dialect.

        Raises:
            FileAccessError: the folder or a needed file is missing.
            ConfigError, CheckpointError: a file is damaged or does not fit.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise FileAccessError(f"{folder} is not a folder with a processor.")
        config_file, image_file = folder / FILE_NAME, folder / image_files.FILE_NAME
        config = read_json(config_file) if config_file.is_file() else {}
        inside = config.get("image_processor")
        if isinstance(inside, Mapping):
            images = GotOcr2ImageProcessor.from_dict(cast(Mapping[str, Any], inside))
        elif image_file.is_file():
            images = GotOcr2ImageProcessor.from_pretrained(folder)
        elif (folder / tiktoken_file.FILE_NAME).is_file():
            images = GotOcr2ImageProcessor()
        else:
            raise FileAccessError(f"{folder} holds neither {image_files.FILE_NAME} nor {FILE_NAME} with it.")
        original = not (folder / tokenizer_files.FILE_NAME).is_file() and not config
        try:
            processor = cls(
                images,
                GotOcr2Tokenizer.from_pretrained(folder),
                num_image_tokens=config.get("num_image_tokens", 256),
                dialect=config.get("dialect", "original" if original else "hf"),
                opener=opener,
            )
        except InvalidOptionError as e:
            raise ConfigError(f"{config_file} is wrong: {e}") from e
        own = {"num_image_tokens", "dialect", "image_processor", "processor_class"}
        processor._extra = {key: value for key, value in config.items() if key not in own}
        return processor

    def save_pretrained(self, folder: str | os.PathLike[str]) -> None:
        """Writes the processor's files, which transformers reads too.

        These are `processor_config.json` (dialect, ids per tile), `preprocessor_config.json` (pictures),
        `tokenizer.json` and `tokenizer_config.json`.

        Raises:
            FileAccessError: a file cannot be written.
        """
        config = {
            **self._extra,
            "processor_class": "GotOcr2Processor",
            "num_image_tokens": self.num_image_tokens,
            "dialect": self.dialect,
        }
        write_json(Path(folder) / FILE_NAME, config)
        self.image_processor.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
