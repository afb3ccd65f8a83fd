"""`GotOcr2Processor`: pictures and a reading task -> the ids and pixels of one batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union, cast, get_args

from PIL import Image
from typing_extensions import Self

from ..errors import ConfigError, FileAccessError, InvalidOptionError
from . import image_processor as image_files
from . import tiktoken_file
from . import tokenizer as tokenizer_files
from .arguments import (
    beside_their_texts,
    boxes_of_documents,
    check_switches,
    checked_box,
    colors_of_documents,
    is_count,
    pages_of_documents,
)
from .batch import BatchFeature
from .files import folder_of, read_json, write_json
from .image_processor import GotOcr2ImageProcessor, ImageInput
from .options import check_processor_options
from .padding import Padding, Side, pad_rows
from .prompts import Dialect, Question, check_dialect, frame
from .tensors import ReturnTensors
from .tokenizer import GotOcr2Tokenizer, Ids

if TYPE_CHECKING:
    import torch

FILE_NAME = image_files.PROCESSOR_NAME
Numbers: TypeAlias = Sequence[float]
Reads: TypeAlias = Literal["pages", "lines"]
ImageOpener: TypeAlias = Callable[[Union[str, "os.PathLike[str]"]], Image.Image]


class GotOcr2Processor:
    """Builds what `GotOcr2ForConditionalGeneration.generate` takes (HF `GotOcr2Processor`).

    Attributes:
        image_processor: how pictures become pixels.
        tokenizer: how text becomes ids.
        num_image_tokens: ids that one tile takes in the prompt (`GotOcr2VisionConfig.num_image_tokens`).
        dialect: the wording of prompts, "hf" or "original"; see `prompts`.
        reads: what a picture should show: "pages", or "lines" for a model that was taught single lines.
        opener: opens a path or address that stands in the place of a picture; without one, those are refused.
    """

    def __init__(
        self,
        image_processor: GotOcr2ImageProcessor,
        tokenizer: GotOcr2Tokenizer,
        num_image_tokens: int = 256,
        dialect: Dialect = "hf",
        *,
        reads: Reads = "pages",
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
        if reads not in get_args(Reads):
            raise InvalidOptionError(f"reads must be one of {', '.join(get_args(Reads))}, got {reads!r}.")
        self.reads: Reads = reads
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
        num_image_tokens: int | None = None,
        return_tensors: ReturnTensors | None = "pt",
        padding: Padding = True,
        padding_side: Side | None = None,
        max_length: int | None = None,
        truncation: bool = False,
        device: torch.device | str | int | None = None,
        images_kwargs: Mapping[str, Any] | None = None,
        text_kwargs: Mapping[str, Any] | None = None,
        common_kwargs: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> BatchFeature:
        """Builds one batch; each picture is a document of its own unless `multi_page`.

        Args:
            images: a picture or a list of them. With `multi_page`, a list is one document and a list of lists
                is several. A picture is a Pillow image, a numpy array or torch tensor (see `images.as_rgb`), or a path
                or address if there is an `opener`. None with `text` alone.
            text: whole prompts to use instead of building them, one for all or one for each document. Each
                has `<imgpad>` once, or once for each page, or already as often as the pictures take ids. Prompts
                without it may stand among them and have no picture.
            box: `[x1, y1, x2, y2]` in pixels of the upright picture, 0 to its width and height; one for all
                pictures, or a list with a box or None for each; see `arguments.checked_box`. In the "original" dialect
                also a point, `[x, y]`.
            color: colour of the frame whose inside is read; one for all documents or a list with one for
                each. In the "original" dialect red, green or blue.
            format: ask for formatted text instead of plain.
            multi_page: the pictures are pages that are read in one go.
            num_image_tokens: ids that one tile takes, instead of the attribute.
            return_tensors: "pt", "np", or None for lists of ids and a numpy array of pixels.
            padding: pad short prompts to the longest; False leaves them as they are.
            padding_side: "left", where generation needs it, or "right"; None leaves it to the tokenizer's attribute.
            max_length: width of every row with padding "max_length".
            truncation: only False: a cut prompt would lose its end or its pictures.
            device: where the tensors shall be.
            images_kwargs, text_kwargs, common_kwargs: more of these arguments, grouped as transformers groups them.
            **options: settings of the image processor for this call, such as `crop_to_patches` and `max_patches`, and
                arguments of transformers' that change nothing.

        Returns:
            `input_ids` and `attention_mask`, int64 (B, T), and `pixel_values`, float32 (N, 3, H, W): the
            tiles of all pages of all documents, in order; no `pixel_values` without a picture.

        Raises:
            InvalidOptionError: an argument is unknown, wrong, or contradicts another one.
            InputError: a picture cannot be decoded.
        """
        grouped = {**(common_kwargs or {}), **(images_kwargs or {}), **(text_kwargs or {})}
        if grouped:
            given: dict[str, Any] = dict(
                box=box, color=color, format=format, multi_page=multi_page, num_image_tokens=num_image_tokens,
                return_tensors=return_tensors, padding=padding, padding_side=padding_side, max_length=max_length,
                truncation=truncation, device=device, **options,
            )  # fmt: skip
            return self(images, text, **{**given, **grouped})
        check_switches(format=format, multi_page=multi_page)
        settings = self._settings(options, truncation=truncation)
        documents = (
            [] if images is None and text is not None else self._documents(images, multi_page, settings)
        )
        prompts, documents = self._prompts(
            text, documents, box, color, settings, format=format, multi_page=multi_page
        )
        batch = BatchFeature(num_patches=[])
        if any(documents):
            batch = settings(documents, return_tensors=return_tensors)
        tiles = cast(list[int], batch.pop("num_patches"))
        rows = self._rows(prompts, documents, tiles, num_image_tokens or self.num_image_tokens)
        ids = pad_rows(
            rows, self.tokenizer.pad_token_id, padding, return_tensors,
            side=padding_side or self.tokenizer.padding_side, width=max_length,
        )  # fmt: skip
        whole = BatchFeature(**ids, **batch)
        return whole if device is None else whole.to(device=device)

    def _settings(self, options: Mapping[str, Any], *, truncation: bool) -> GotOcr2ImageProcessor:
        """The image processor with what one call changes.

        Raises:
            InvalidOptionError: an option is unknown or wrong, or prompts shall be cut.
        """
        if truncation:
            raise InvalidOptionError("truncation would cut a prompt's end or its pictures off; leave it out.")
        names = {f.name for f in fields(self.image_processor)}
        check_processor_options({name: value for name, value in options.items() if name not in names})
        return self.image_processor.with_options({n: v for n, v in options.items() if n in names})

    @property
    def image_token(self) -> str:
        return self.tokenizer.image_token

    @property
    def image_token_id(self) -> int:
        return self.tokenizer.image_token_id

    @property
    def model_input_names(self) -> list[str]:
        """What a batch may hold."""
        return ["input_ids", "attention_mask", "pixel_values"]

    def decode(self, ids: Any, skip_special_tokens: bool = False, **others: Any) -> Any:
        """`GotOcr2Tokenizer.decode`."""
        decode: Callable[..., Any] = self.tokenizer.decode
        return decode(ids, skip_special_tokens, **others)

    def batch_decode(
        self, rows: Iterable[Ids], skip_special_tokens: bool = False, **others: Any
    ) -> list[str]:
        """`GotOcr2Tokenizer.batch_decode`."""
        return self.tokenizer.batch_decode(rows, skip_special_tokens, **others)

    def post_process_image_text_to_text(
        self, generated_outputs: Iterable[Ids], skip_special_tokens: bool = True, **others: Any
    ) -> list[str]:
        """The texts of what `generate` gave, control tokens left out (transformers' name and default)."""
        return self.tokenizer.batch_decode(generated_outputs, skip_special_tokens, **others)

    def _documents(
        self, images: Any, multi_page: bool, settings: GotOcr2ImageProcessor
    ) -> list[list[Image.Image]]:
        """The pages of every document, opened and made RGB."""
        return [
            [settings.convert(self._opened(page)) for page in pages]
            for pages in pages_of_documents(images, multi_page)
        ]

    def _opened(self, image: Any) -> Any:
        if not isinstance(image, (str, os.PathLike)):
            return image
        path = cast("str | os.PathLike[str]", image)
        if self.opener is None:
            raise InvalidOptionError(
                f"This processor opens no files or addresses; pass the picture of {os.fspath(path)!r} itself."
            )
        return self.opener(path)

    def _prompts(
        self,
        text: str | Sequence[str] | None,
        documents: list[list[Image.Image]],
        box: object,
        color: object,
        settings: GotOcr2ImageProcessor,
        *,
        format: bool,
        multi_page: bool,
    ) -> tuple[list[str], list[list[Image.Image]]]:
        """The prompt of each document, built or given, and the pages that belong to each prompt."""
        boxes = boxes_of_documents(box, len(documents))
        colors = colors_of_documents(color, len(documents))
        if text is None:
            prompts = [
                self._prompt(pages[0], points, name, settings, format=format, multi_page=multi_page)
                for pages, points, name in zip(documents, boxes, colors, strict=True)
            ]
            return prompts, documents
        if format or box is not None or color is not None:
            raise InvalidOptionError("text is the whole prompt, so box, color and format cannot go with it.")
        return beside_their_texts(text, documents, self.tokenizer.image_token)

    def _prompt(
        self,
        page: Image.Image,
        points: Sequence[Any] | None,
        color: str | None,
        settings: GotOcr2ImageProcessor,
        *,
        format: bool,
        multi_page: bool,
    ) -> str:
        """The prompt of one document, with `<imgpad>` once."""
        thousandths = None
        if points is not None:
            image_hw = (page.height, page.width)
            inside = checked_box(points, image_hw, point_allowed=self.dialect == "original")
            thousandths = settings.box_in_thousandths(inside, image_hw)
        question = Question(
            format=format,
            box=thousandths,
            color=color,
            multi_page=multi_page,
            patches=settings.crop_to_patches,
        )
        names = self.tokenizer
        return frame(
            question.wording(self.dialect),
            start=names.message_start_token,
            end=names.eos_token,
            image=names.image_start_token + names.image_token + names.image_end_token,
        )

    def _rows(
        self, prompts: list[str], documents: list[list[Image.Image]], tiles: list[int], per_tile: int
    ) -> list[list[int]]:
        """Ids of every prompt; `tiles` counts those of all pages of all documents, in order."""
        counts = iter(tiles)
        return [
            self._ids(prompt, [next(counts) for _ in pages], per_tile)
            for prompt, pages in zip(prompts, documents, strict=True)
        ]

    def _ids(self, prompt: str, tiles: Sequence[int], per_tile: int) -> list[int]:
        """Ids of a prompt whose `<imgpad>`s are made as many as the tiles of its pages take."""
        image_id = self.tokenizer.image_token_id
        total = sum(tiles) * per_tile
        ids = self.tokenizer.encode(prompt)
        found = ids.count(image_id)
        if found == total:
            return ids
        if found not in (1, len(tiles)):
            raise InvalidOptionError(
                f"The prompt has {self.tokenizer.image_token} {found} times; it needs it once, or once for "
                f"each of {len(tiles)} pages, or {total} times."
            )
        per_placeholder = iter([total] if found == 1 else [n * per_tile for n in tiles])
        return [
            i for token in ids for i in ([image_id] * next(per_placeholder) if token == image_id else [token])
        ]

    # --- files ------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(
        cls, repo_or_folder: str | os.PathLike[str], *, opener: ImageOpener | None = None, **options: Any
    ) -> Self:
        """Reads the processor of a checkpoint, in any layout.

        - got-ocr2 and transformers 4: `processor_config.json` (optional) beside `preprocessor_config.json`;
        - transformers 5: `processor_config.json` with the image processor inside;
        - original: `qwen.tiktoken` alone. It means 1024x1024 pictures, 256 ids each, and the "original"
            dialect.

        Args:
            repo_or_folder: a local folder, or "owner/name" on the hub.
            opener: opens paths and addresses; see the attribute.
            **options: settings of the image processor, such as `max_patches`, `num_image_tokens`, `dialect`, and what
                `files.folder_of` takes.

        Raises:
            FileAccessError: the folder or a needed file is missing.
            ConfigError, CheckpointError: a file is damaged or does not fit, or the checkpoint cannot be found.
            InvalidOptionError: an option is unknown, wrong, or cannot be obeyed.
        """
        names = {f.name for f in fields(GotOcr2ImageProcessor)} - {"extra"}
        settings = {n: v for n, v in options.items() if n in names}
        own_options = {n: v for n, v in options.items() if n in ("num_image_tokens", "dialect")}
        others = {n: v for n, v in options.items() if n not in settings.keys() | own_options.keys()}
        folder = folder_of(cls.__name__, repo_or_folder, others)
        config_file = folder / FILE_NAME
        config = read_json(config_file) if config_file.is_file() else {}
        saved = image_files.saved_in(folder)
        if saved is not None:
            images = GotOcr2ImageProcessor.from_dict(saved)
        elif (folder / tiktoken_file.FILE_NAME).is_file():
            images = GotOcr2ImageProcessor()
        else:
            raise FileAccessError(f"{folder} holds neither {image_files.FILE_NAME} nor {FILE_NAME} with it.")
        images = replace(images, **settings)
        config.update(own_options)
        original = not (folder / tokenizer_files.FILE_NAME).is_file() and not config
        try:
            processor = cls(
                images,
                GotOcr2Tokenizer.from_pretrained(folder),
                num_image_tokens=config.get("num_image_tokens", 256),
                dialect=config.get("dialect", "original" if original else "hf"),
                reads=config.get("reads", "pages"),
                opener=opener,
            )
        except InvalidOptionError as e:
            raise ConfigError(f"{config_file} is wrong: {e}") from e
        own = {"num_image_tokens", "dialect", "reads", "image_processor", "processor_class"}
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
            **({"reads": self.reads} if self.reads != "pages" else {}),
        }
        write_json(Path(folder) / FILE_NAME, config)
        self.image_processor.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
