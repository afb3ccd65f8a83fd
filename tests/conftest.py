"""Shared fixtures: tiny random models of unequal sizes, their transformers twins, the real Qwen vocabulary.

Every weight is random, norms, biases and relative positions included: a zero or a one would hide a bug.
Sizes differ wherever they may (heads, layers, widths, windows that do not divide the grid). `tiny_config` is
square only because transformers' vision tower has to be; `tiny_wide_config` has pictures wider than high.

Session-scoped objects are shared: a test that changes a model's weights makes its own with `make_model`.
"""

from __future__ import annotations

import base64
import gc
import importlib.util
import os
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

# The oracle must never look for its models on the network.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

from got_ocr2.config import GotOcr2Config, GotOcr2TextConfig, GotOcr2VisionConfig

if TYPE_CHECKING:
    import torch
    import transformers

    from got_ocr2 import GotOcr2ForConditionalGeneration, GotOcr2Processor

    Model = GotOcr2ForConditionalGeneration
    MakeModel = Callable[..., Model]
    MakeOracle = Callable[[Model], transformers.GotOcr2ForConditionalGeneration]


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Modules and tests stay to the end: looking through them for garbage again and again takes seconds."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


REAL_VOCABULARY = 151_860
IMAGE_TOKEN = 151_859


# --- configurations -------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def tiny_config() -> GotOcr2Config:
    """96x96 pictures -> 12x12 patches -> 9 image tokens; a window of 5 does not divide 12; 97 ids."""
    return GotOcr2Config(
        vision_config=GotOcr2VisionConfig(
            hidden_size=24,
            output_channels=10,
            num_hidden_layers=4,
            num_attention_heads=3,
            image_size=96,
            patch_size=8,
            window_size=5,
            global_attn_indexes=(1, 3),
            mlp_dim=40,
        ),
        text_config=GotOcr2TextConfig(
            vocab_size=97,
            hidden_size=32,
            intermediate_size=44,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            rope_theta=10_000.0,
        ),
        image_token_index=91,
    )


@pytest.fixture(scope="session")
def tiny_wide_config(tiny_config: GotOcr2Config) -> GotOcr2Config:
    """`tiny_config` with 56x104 pictures -> 7x13 patches -> 2x4 image tokens."""
    return replace(tiny_config, vision_config=replace(tiny_config.vision_config, image_size=(56, 104)))


@pytest.fixture(scope="session")
def real_vocab_config(tiny_config: GotOcr2Config) -> GotOcr2Config:
    """`tiny_config` with the published vocabulary, for tests that go through the real processor."""
    text = replace(tiny_config.text_config, vocab_size=REAL_VOCABULARY)
    return replace(tiny_config, text_config=text, image_token_index=IMAGE_TOKEN)


# --- models ---------------------------------------------------------------------------------------------


def _randomise(model: torch.nn.Module, seed: int) -> None:
    """Fills every parameter so that activations stay near unit size and nothing is zero or one."""
    import torch  # not by the process that only deals tests out

    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=generator)
            if "norm" in name and name.endswith("weight"):
                value = 1 + 0.3 * noise
            elif name.endswith("bias") or "rel_pos" in name or "pos_embed" in name:
                value = 0.3 * noise
            elif "embed_tokens" in name:
                # Small beside what the layers add, or a tied head would only ever repeat the last token.
                value = 0.1 * noise
            else:
                value = noise / p[0].numel() ** 0.5  # fan-in of a linear or a convolution
            p.copy_(value)


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    """`make_model(config, seed=0)`: a fresh fp32 model in eval mode with every weight random."""
    from got_ocr2.modeling import GotOcr2ForConditionalGeneration

    def make(config: GotOcr2Config, seed: int = 0) -> Model:
        model = GotOcr2ForConditionalGeneration(config)
        _randomise(model, seed)
        return model.eval()

    return make


@pytest.fixture(scope="session")
def tiny_model(make_model: MakeModel, tiny_config: GotOcr2Config) -> Model:
    return make_model(tiny_config)


@pytest.fixture(scope="session")
def tiny_wide_model(make_model: MakeModel, tiny_wide_config: GotOcr2Config) -> Model:
    return make_model(tiny_wide_config)


@pytest.fixture(scope="session")
def real_vocab_model(make_model: MakeModel, real_vocab_config: GotOcr2Config) -> Model:
    return make_model(real_vocab_config)


# --- the oracle -----------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def make_oracle() -> MakeOracle:
    """`make_oracle(model)`: transformers' model with the same configuration and weights, in eval mode.

    Square pictures only. Skips where transformers is not installed.
    """
    transformers = pytest.importorskip("transformers")

    def make(model: Model) -> transformers.GotOcr2ForConditionalGeneration:
        config = transformers.GotOcr2Config(**model.config.to_dict())
        oracle = transformers.GotOcr2ForConditionalGeneration(config)
        # Attribute paths are the same in both, so the state dict goes over as it is.
        # A tied head is one matrix under one name here, under two in transformers.
        embedding = model.get_input_embeddings().weight
        oracle.load_state_dict({"lm_head.weight": embedding, **model.state_dict()}, strict=True)
        return oracle.eval()

    return make


@pytest.fixture(scope="session")
def tiny_oracle(make_oracle: MakeOracle, tiny_model: Model):
    return make_oracle(tiny_model)


@pytest.fixture(scope="session")
def real_vocab_oracle(make_oracle: MakeOracle, real_vocab_model: Model):
    return make_oracle(real_vocab_model)


# --- vocabulary and processors --------------------------------------------------------------------------


@pytest.fixture(scope="session")
def qwen_tiktoken() -> Path:
    """The real `qwen.tiktoken` (151,643 ranks), found inside the dashscope wheel without importing it."""
    spec = importlib.util.find_spec("dashscope")
    if spec is None or not spec.submodule_search_locations:
        pytest.skip("dashscope==1.20.11 is not installed: it carries the real Qwen vocabulary")
    return Path(spec.submodule_search_locations[0]) / "resources" / "qwen.tiktoken"


def _special_tokens() -> list[str]:
    named = ["<ref>", "</ref>", "<box>", "</box>", "<quad>", "</quad>", "<img>", "</img>", "<imgpad>"]
    return ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *(f"<|extra_{i}|>" for i in range(205)), *named]


@pytest.fixture(scope="session")
def oracle_tokenizer(qwen_tiktoken: Path) -> Any:
    """transformers' tokenizer as the published checkpoint has it, except that it pads on the left."""
    transformers = pytest.importorskip("transformers")
    from transformers.convert_slow_tokenizer import TikTokenConverter

    class Converter(TikTokenConverter):
        @staticmethod
        def load_tiktoken_bpe(tiktoken_url: str) -> dict[bytes, int]:
            lines = Path(tiktoken_url).read_bytes().splitlines()
            pairs = (line.split() for line in lines if line)
            return {base64.b64decode(token): int(rank) for token, rank in pairs}

    backend = Converter(str(qwen_tiktoken), extra_special_tokens=_special_tokens()).converted()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        model_input_names=["input_ids", "attention_mask"],
        model_max_length=8000,
        pad_token="<|endoftext|>",
        bos_token="<|endoftext|>",
        eos_token="<|endoftext|>",
        padding_side="left",
    )


@pytest.fixture(scope="session")
def make_oracle_processor(oracle_tokenizer: Any) -> Callable[..., Any]:
    """`make_oracle_processor(size=(96, 96), num_image_tokens=9)`: transformers', on its Pillow class."""
    import transformers
    from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil

    def make(size: tuple[int, int] = (96, 96), num_image_tokens: int = 9) -> Any:
        images = GotOcr2ImageProcessorPil(size={"height": size[0], "width": size[1]})
        processor = transformers.GotOcr2Processor(images, oracle_tokenizer)
        processor.num_image_tokens = num_image_tokens
        return processor

    return make


@pytest.fixture(scope="session")
def real_vocab_processor(qwen_tiktoken: Path, real_vocab_config: GotOcr2Config) -> GotOcr2Processor:
    """Our processor for `real_vocab_model`: 96x96 pictures, 9 image tokens each, dialect "hf"."""
    from got_ocr2.processing import GotOcr2ImageProcessor, GotOcr2Processor, GotOcr2Tokenizer

    vision = real_vocab_config.vision_config
    return GotOcr2Processor(
        GotOcr2ImageProcessor(size=vision.image_hw),
        GotOcr2Tokenizer.from_pretrained(qwen_tiktoken.parent),
        num_image_tokens=vision.num_image_tokens,
    )


@pytest.fixture(scope="session")
def checkpoint_folder(
    tmp_path_factory: pytest.TempPathFactory,
    real_vocab_model: Model,
    real_vocab_processor: GotOcr2Processor,
) -> Path:
    """`real_vocab_model` and its processor, saved. Read only: copy it before changing a file."""
    folder = tmp_path_factory.mktemp("checkpoint")
    real_vocab_model.save_pretrained(folder)
    real_vocab_processor.save_pretrained(folder)
    return folder


# Whole words keep prompts short, so that pictures weigh as much in them as with the real vocabulary.
_WORDS = (
    *("system", "You", "user", "assistant", "OCR", "red", "green", "blue"),
    *(" should", " follow", " the", " instructions", " carefully", " and", " explain", " your", " answers"),
    *(" in", " detail", " OCR", " with", " format", " across", " multi", " pages", " upon", " patch"),
    *(
        " reference",
        " a",
        " of",
        " to",
        " is",
        " for",
        " on",
        " by",
        " it",
        " he",
        " as",
        " at",
        " be",
        " or",
    ),
    *(" an", " we", " no"),
)


@pytest.fixture(scope="session")
def byte_tiktoken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny `qwen.tiktoken`: 256 bytes and 44 words, which GOT's 217 special tokens make 517 ids."""
    path = tmp_path_factory.mktemp("bytes") / "qwen.tiktoken"
    tokens = [*(bytes([i]) for i in range(256)), *(word.encode() for word in _WORDS)]
    path.write_text("".join(f"{base64.b64encode(t).decode()} {i}\n" for i, t in enumerate(tokens)))
    return path


@pytest.fixture(scope="session")
def byte_config(tiny_config: GotOcr2Config) -> GotOcr2Config:
    """`tiny_config` for `byte_tiktoken`: `<|endoftext|>` is 300, `<|im_end|>` 302, `<imgpad>` 516."""
    text = replace(tiny_config.text_config, vocab_size=517)
    return replace(tiny_config, text_config=text, image_token_index=516)


@pytest.fixture(scope="session")
def byte_folder(
    tmp_path_factory: pytest.TempPathFactory,
    make_model: MakeModel,
    byte_config: GotOcr2Config,
    byte_tiktoken: Path,
) -> Path:
    """A whole checkpoint with the vocabulary of `byte_tiktoken`: opens in milliseconds. Read only."""
    from got_ocr2.processing import GotOcr2ImageProcessor, GotOcr2Processor, GotOcr2Tokenizer

    folder = tmp_path_factory.mktemp("byte_checkpoint")
    vision = byte_config.vision_config
    make_model(byte_config, seed=1).save_pretrained(folder)
    GotOcr2Processor(
        GotOcr2ImageProcessor(size=vision.image_hw),
        GotOcr2Tokenizer.from_tiktoken(byte_tiktoken),
        num_image_tokens=vision.num_image_tokens,
    ).save_pretrained(folder)
    return folder


# --- pictures -------------------------------------------------------------------------------------------


@pytest.fixture
def page_image() -> Image.Image:
    """A 150x90 RGB picture: dark marks on paper with a little noise, no two corners alike."""
    rng = np.random.default_rng(7)
    page = Image.fromarray(rng.integers(225, 256, size=(90, 150, 3), dtype=np.uint8))
    draw = ImageDraw.Draw(page)
    for row, text in enumerate(("General OCR", "reads 1,024", "pages: 7 + 5")):
        draw.text((8, 10 + 24 * row), text, fill=(20, 10 * row, 40))
    draw.rectangle((100, 50, 140, 80), outline=(200, 30, 30), width=2)
    return page
