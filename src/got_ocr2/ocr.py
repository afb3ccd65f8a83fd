"""`OCR`: documents in, text out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Literal
from weakref import finalize

from .documents import DEFAULT_DPI, Limits, PageRanges, source_name
from .errors import CheckpointError
from .reading import DocumentRead, Event, PageRead, Reader, ReadOptions, TextPiece, TextWishes
from .reading.engine_options import EngineOptions
from .reading.lines.line_writer import LineWriter
from .results import PAGE_SEPARATOR, DocumentResult, OnLoop, PageResult

if TYPE_CHECKING:
    import torch

    from .documents.sources import Source
    from .generation.engine.engine import Engine
    from .generation.engine.runner import Runner
    from .modeling import GotOcr2ForConditionalGeneration
    from .modeling.backends.choice import Kernels, KvCache, Quantization
    from .processing import GotOcr2Processor
    from .reading.confidence import ConfidenceLevel
    from .reading.drafts import Speculate

_SMALL_MEMORY = "256MB"  # for the keys and values of the embedded model beside another one
EMBEDDED_MODEL = Path(__file__).parent / "assets" / "default"


class OCR:
    """A model and its processor, ready to read.

        ocr = OCR.from_pretrained()
        print(ocr.read("page.png").text)

    Attributes:
        processor: as loaded; use it directly for anything beyond reading.
    """

    def __init__(
        self,
        model: GotOcr2ForConditionalGeneration,
        processor: GotOcr2Processor,
        engine_options: EngineOptions | None = None,
    ) -> None:
        """Takes a model, which keeps its device and dtype, and the processor of the same checkpoint.

        Args:
            model, processor: as loaded.
            engine_options: how they are run; default: those of `from_pretrained`.
        """
        self._model = model  # what the back end is made of; empty shells once it has taken the weights
        self._whole: Callable[[], GotOcr2ForConditionalGeneration] | None = (
            None  # loads what `_model` will not hold
        )
        self._lent: GotOcr2ForConditionalGeneration | None = None  # loaded by `_whole` after that
        self._consume = False  # the back end takes the weights
        self._asked: tuple[torch.device, torch.dtype] | None = None  # those of the model before
        self.processor = processor
        self._engine_options = engine_options or EngineOptions()
        self._runner: Runner | None = None
        self._engine: Engine | None = None
        self._finalizer: finalize[..., OCR] | None = None
        self._lock = Lock()
        self._small: OCR | None = None  # reads lines for a model that reads pages

    @property
    def model(self) -> GotOcr2ForConditionalGeneration:
        """The model as it was loaded, for anything beyond reading.

        Compiled kernels keep the weights in their own order and let torch's go, so after `from_pretrained` on a CPU it
        is loaded from its folder when it is first asked for. What is changed in it before the first page is read holds
        for reading too.

        Raises:
            CheckpointError: the folder is not there any more.
        """
        with self._lock:
            if self._whole is not None:
                self._whole, whole = None, self._whole()
                if self._runner is None:
                    self._model, self._consume = whole, False
                else:
                    self._lent = whole
            return self._model if self._lent is None else self._lent

    @property
    def device(self) -> torch.device:
        """Where it reads."""
        return self._model.device if self._asked is None else self._asked[0]

    @property
    def dtype(self) -> torch.dtype:
        """What pictures and, on devices other than a CPU, weights are given to the network in."""
        return self._model.dtype if self._asked is None else self._asked[1]

    @property
    def engine(self) -> Engine:
        """What reads the pages, of all calls in all threads together; made when it is first needed.

        Raises:
            InvalidOptionError: the back end that was asked for cannot be had, or there is not enough memory.
        """
        with self._lock:
            if self._runner is None:
                lines = self.processor.reads == "lines"
                empty = self.processor.image_processor.empty_canvas() if lines else None
                self._runner = self._engine_options.runner(self._model, consume=self._consume, empty=empty)
                if self._consume:
                    self._model.to(self.dtype)  # shells, but pictures come in the dtype that they say
            if self._engine is None or self._engine.closed:
                context = self._model.config.text_config.max_position_embeddings
                self._engine = self._engine_options.open(self._runner, context)
                # A thread of its own must not outlive what it works for.
                self._finalizer = finalize(self, self._engine.close)
            return self._engine

    @property
    def why_not_native(self) -> str | None:
        """Why the compiled kernels are not used though nobody asked for torch, as the end of a sentence."""
        from .modeling.backends.choice import why_not_native

        wanted = self._engine_options.kernels != "torch" and self.device.type == "cpu"
        made = self._runner is not None and self._consume
        return why_not_native(self._model) if wanted and not made else None

    def close(self) -> None:
        """Gives back the memory of the key/value cache and ends the engine; reading again makes a new one."""
        with self._lock:
            engine, self._engine = self._engine, None
            if self._finalizer is not None:
                self._finalizer.detach()
        if engine is not None:
            engine.close()
        if self._small is not None:
            self._small.close()

    @classmethod
    def from_pretrained(
        cls,
        model: str | PathLike[str] | None = None,
        *,
        device: str | torch.device = "auto",
        dtype: str | torch.dtype = "auto",
        revision: str | None = None,
        token: str | bool | None = None,
        cache_dir: str | PathLike[str] | None = None,
        local_files_only: bool = False,
        quantization: Quantization | None = None,
        kernels: Kernels = "auto",
        kv_memory: int | str | None = None,
        max_batch: int = EngineOptions.max_batch,
        threaded: bool | None = None,
        kv_cache: KvCache = "auto",
    ) -> OCR:
        """Opens a checkpoint.

        Args:
            model: a folder, a repository on the hub such as "stepfun-ai/GOT-OCR-2.0-hf", or None for the
                small model that comes with the package.
            device: "cpu", "cuda", "cuda:1", "mps", or "auto" for the best one there is.
            dtype: "float32", "bfloat16", "float16" or a torch dtype; "auto" is bfloat16 on CUDA and float32
                elsewhere.
            revision, token, cache_dir, local_files_only: see `checkpoints.resolve`.
            quantization: "int8" or "int4": the weights take a half or a quarter of the memory of bfloat16 and
                reading gets faster by as much, but the text is no longer exactly the model's. They replace the
                model's own when reading begins: `model` cannot be called then. CPU only.
            kernels: "native" for the compiled code of this package, "torch" for the model as it is; "auto" is
                native where that is possible. The text is the same.
            kv_memory: what the key/value cache may take, such as "2GB" or a number of bytes: it limits how many
                pages can be read together, and how long they can be. Default: a share of the free memory.
            max_batch: most pages that are read together, by all calls, >= 1.
            threaded: whether the engine has a thread of its own; None gives it one on CUDA. For programs in which
                many threads read with one `OCR`.
            kv_cache: how the key/value cache is stored: "bf16" takes half of the memory of "fp32", "int8" a little more
                than a quarter, and long or many texts are read faster for it, at the price of numbers that are no
                longer exactly the model's. "auto" is fp32, but bf16 beside quantised weights. CPU only.

        Raises:
            CheckpointError: not found, incomplete or in an unknown layout.
            InvalidOptionError: a device, dtype, quantization or kernels that cannot be used here.
        """
        from .auto import AutoProcessor
        from .checkpoints import dtype_named
        from .modeling import load_model

        engine_options = EngineOptions(quantization, kernels, kv_memory, max_batch, threaded, kv_cache)
        if model is None:
            model = _embedded_model()
        device = _best_device() if device == "auto" else device
        if dtype == "auto":
            dtype = "bfloat16" if str(device).startswith("cuda") else "float32"
        place: dict[str, Any] = {
            "revision": revision,
            "token": token,
            "cache_dir": cache_dir,
            "local_files_only": local_files_only,
        }
        # The model comes first: it checks device and dtype before anything is downloaded.
        whole = partial(load_model, model, device=device, dtype=dtype, **place)
        takes_weights = kernels != "torch" and str(device) == "cpu"
        stored = _as_stored(whole, model, dtype, place) if takes_weights else None
        ocr = cls(stored or whole(), AutoProcessor.from_pretrained(model, **place), engine_options)
        ocr._consume = quantization is not None or stored is not None
        if ocr._consume:
            ocr._asked = ocr._model.device, dtype_named(dtype)
        if stored is not None:
            ocr._whole = whole if quantization is None else None
        return ocr

    def read(
        self,
        source: Source | Sequence[Source],
        *,
        format: bool = False,
        box: Sequence[float] | None = None,
        color: str | None = None,
        multi_page: bool = False,
        crop: bool = False,
        max_patches: int | None = None,
        lines: bool | None = None,
        paragraphs: bool = False,
        dehyphenate: bool = False,
        max_new_tokens: int | None = None,
        deadline: float | None = None,
        on_loop: OnLoop = "stop",
        no_repeat_ngram_size: int | Literal["original"] | None = None,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int | None = None,
        draft: str | Sequence[str] | None = None,
        boxes: bool = False,
        speculate: Speculate = None,
        confidence: ConfidenceLevel = "page",
        pages: str | int | Iterable[int] | PageRanges | None = None,
        dpi: float = DEFAULT_DPI,
        password: str | None = None,
        recursive: bool = False,
        skip_blank: bool = True,
        limits: Limits | None = None,
    ) -> PageResult | DocumentResult:
        """Reads a document.

        Args:
            source: a path, an `http(s)` or `data:` address, "-" for standard input, bytes, an open binary
                file, a Pillow image, an array or tensor, a folder or a pattern such as "scans/*.png"; with
                `multi_page` also a list of these, whose pages make one document.
            format: ask for formatted text (Mathpix markdown, music, TikZ, SMILES, a chart's data).
            box: read the region `(x1, y1, x2, y2)`, in pixels of the page as a person sees it.
            color: read what stands in the frame of this colour: "red", "green" or "blue".
            multi_page: read all pages as one text.
            crop: read each page in full-size tiles as well, for small print.
            max_patches: the most tiles, >= 1; switches `crop` on. None is the checkpoint's own limit.
            lines: find the lines of each page and read them one by one, which gives every line and word a place:
                True, False, or None to do so for models that were made for it, as the one in the package is.
            paragraphs: where lines are read, those of a block make one line of running text, with a blank line
                between blocks.
            dehyphenate: where lines are read, words that were divided at the end of one are put together.
            max_new_tokens: the most tokens to write for a text, >= 1; where lines are read, for a piece of one. None
                is the checkpoint's own limit.
            deadline: seconds that the model may work on a page, > 0; then its text ends where it is, and its status
                is "truncated". None for no limit.
            on_loop: what to do when the model begins to repeat itself without end. "stop" ends the page there, keeps
                the first copy of what is repeated, and calls it "looped". "penalise" goes on from there with no run of
                20 tokens allowed twice. "retry_cropped" reads the page again in tiles. Where a second try repeats
                itself too, its text is cut and called "looped". "ignore" goes on to the token limit.
            no_repeat_ngram_size: no run of so many tokens comes twice, >= 0; "original" is what the demo of the
                model's authors does: 20, but nothing for tiles and several pages. None is the checkpoint's own setting.
            temperature: 0 writes the most probable text, which is what reading wants; above 0, tokens are drawn from
                the distribution, whose scores are divided by it.
            top_p: draw among the most probable tokens that together reach this probability, in (0, 1].
            seed: equal seeds draw equal texts of a page, >= 0; None draws another each time.
            draft: what the document is thought to say, to read it faster: "pdf-text" for a PDF's own text layer,
                "lines" for what the small model in the package makes of each page's lines first, a text, or a text for
                every page; a form feed in a text stands between two pages. The result does not depend on it.
            boxes: give the lines and words of the text places on the page: the small model in the package finds and
                reads the lines first. `skipped` and `agreement` of the result say where the two differ. Where lines are
                read anyway, they have places without it.
            speculate: guess the next tokens and verify several at once; the result does not depend on it. True guesses
                from the draft, if there is one, and from what was written before; "ngram" from the latter alone. None
                speculates if there is a draft.
            confidence: how finely the result says how sure the model was: of the "page", of every "line" too, of every
                "word" too, or of every "character" too.
            pages: which pages, such as "1-4,7,9-"; None for all.
            dpi: pixels per inch for the pages of a PDF, > 0.
            password: for an encrypted PDF.
            recursive: search the folders within a folder.
            skip_blank: a page on whose picture there is nothing but paper is "empty", without asking the model.
            limits: what is refused; see `documents.Limits`.

        Returns:
            A `PageResult` where one text was read, else a `DocumentResult` with one result a page.

        Raises:
            GotOcr2Error: the first thing that went wrong. `read_many` goes on instead.
        """
        given = {name: value for name, value in locals().items() if name not in ("self", "source")}
        options = ReadOptions.of(**{**given, "limits": limits or Limits()})
        events = self.reader(options, strict=True).events([source])
        results = [event.result for event in events if isinstance(event, PageRead)]
        if len(results) == 1:
            return results[0]
        sources = {result.source for result in results}
        return DocumentResult(sources.pop() if len(sources) == 1 else source_name(source), tuple(results))

    def stream(self, source: Source | Sequence[Source], **options: Any) -> Iterator[str]:
        """Reads a document and yields its text as it is written, in pieces of whole characters.

        The pieces, joined, are the `text` that `read` gives; with `on_loop="retry_cropped"` they come page by page.
        Leaving the iteration stops the work.

        Args:
            source, options: as for `read`.

        Raises:
            InvalidOptionError: at the call.
            GotOcr2Error: while iterating, the first thing that went wrong.
        """
        chosen = ReadOptions.of(**options)
        return _pieces(self.reader(chosen, strict=True).events([source]))

    def read_many(
        self, sources: Iterable[Source | Sequence[Source]], *, batch_size: int = 1, **options: Any
    ) -> Iterator[PageResult | DocumentResult]:
        """Reads documents one after another and yields a result for each, in order; none is ever lost.

        What cannot be read becomes a result with the status "failed" and an `error`, and the next document is
        read. A folder or pattern gives a result for each of its documents, unless `multi_page` makes one of
        them.

        Args:
            sources: as for `read`; opened one after another, while reading.
            batch_size: most pages of this call that are read together, >= 1: as soon as one has ended, another
                enters.
            options: as for `read`.

        Raises:
            InvalidOptionError: at the call.
        """
        events = self.events(sources, batch_size=batch_size, **options)
        return (event.result for event in events if isinstance(event, DocumentRead))

    def events(
        self, sources: Iterable[Source | Sequence[Source]], *, batch_size: int = 1, **options: Any
    ) -> Iterator[Event]:
        """`read_many` in detail: documents opened, pieces of text, pages read, documents read.

        Arguments and errors are those of `read_many`. The text of the first page that has not ended comes as it
        is written.
        """
        return self.reader(ReadOptions.of(**options), batch_size=batch_size).events(sources)

    def reader(
        self,
        options: ReadOptions,
        *,
        batch_size: int = 1,
        strict: bool = False,
        wishes: TextWishes | None = None,
    ) -> Reader:
        """What all of these calls are made of; arguments and errors are those of `reading.Reader`."""
        return Reader(
            lambda: self.engine,
            self._model,
            self.processor,
            options,
            line_writer=self._line_writer,
            batch_size=batch_size,
            strict=strict,
            wishes=wishes,
        )

    def _line_writer(self, options: ReadOptions) -> LineWriter:
        """What reads the lines of pages before the model does: this model if it was made for it, or the embedded one.

        Raises:
            CheckpointError: there is no embedded model.
        """
        small = self
        if self.processor.reads != "lines":
            with self._lock:
                if self._small is None:
                    device = str(self.device)
                    self._small = OCR.from_pretrained(
                        device=device, kernels=self._engine_options.kernels, kv_memory=_SMALL_MEMORY
                    )
                small = self._small
        return LineWriter(lambda: small.engine, small._model, small.processor, options)


def _pieces(events: Iterable[Event]) -> Iterator[str]:
    """The pieces of text, with the separator between the texts of two pages."""
    anything, separated = False, True
    for event in events:
        if isinstance(event, TextPiece):
            yield event.text if separated else PAGE_SEPARATOR + event.text
            anything, separated = True, True
        elif isinstance(event, PageRead):
            separated = not anything


def _as_stored(
    whole: partial[GotOcr2ForConditionalGeneration],
    model: str | PathLike[str],
    dtype: str | torch.dtype,
    place: dict[str, Any],
) -> GotOcr2ForConditionalGeneration | None:
    """The model on its file's pages, for compiled kernels to take; None where these would give something else.

    Args:
        whole: loads it as it was asked for.
        model, dtype, place: how that was.
    """
    from .checkpoints import stored_dtypes
    from .hub import resolve
    from .modeling.backends.choice import why_not_native

    # bf16 weights are widened in the kernels; any other change of dtype has to be made by loading.
    held = {"float32": ("float32", "bfloat16"), "bfloat16": ("bfloat16",)}
    wanted = held.get(str(dtype).removeprefix("torch."), ())
    found = stored_dtypes(resolve(model, **place)) if wanted else ()
    if len(found) != 1 or found[0] not in wanted:
        return None
    stored = whole(dtype=found[0])
    return stored if why_not_native(stored) is None else None


def _embedded_model() -> Path:
    if not (EMBEDDED_MODEL / "config.json").is_file():
        raise CheckpointError(
            f"This installation has no embedded model ({EMBEDDED_MODEL} is missing); name a checkpoint "
            'folder, or a repository such as "stepfun-ai/GOT-OCR-2.0-hf".'
        )
    return EMBEDDED_MODEL


def _best_device() -> str:
    import torch

    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
