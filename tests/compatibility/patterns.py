"""Call patterns of scripts written for transformers, as a table.

Each is a function of one library's side; `test_patterns.py` runs it against both and compares. The table is shown by
`docs/from-transformers.md`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from sides import Side

Verdict = Literal["works", "differs", "refused"]
N = {"max_new_tokens": 5, "do_sample": False}


@dataclass(frozen=True)
class Pattern:
    """One way to call the library.

    Attributes:
        code: as a reader of the page sees it.
        run: does it and returns what is compared.
        verdict: "works": both give the same; "differs": each gives what it says; "refused": an error that says what to
            do instead.
        note: for "differs", what is other and why; for "refused", what the error says (a part of it).
    """

    code: str
    run: Callable[[Side], Any]
    verdict: Verdict = "works"
    note: str = ""


def _generate(**options: Any) -> Callable[[Side], Any]:
    return lambda side: side.model.generate(**side.inputs(), **{**N, **options})


def _detailed(name: str, **options: Any) -> Callable[[Side], Any]:
    def run(side: Side) -> Any:
        return side.model.generate(**side.inputs(), **N, return_dict_in_generate=True, **options)[name]

    return run


def _beams(**options: Any) -> Callable[[Side], Any]:
    # The end token is among the first choices here, so that beams end at different times.
    return lambda side: side.model.generate(**side.two(), max_new_tokens=6, do_sample=False, **options)


def _favour(ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    scores = scores.clone()
    scores[:, ids.shape[1] % 90 + 40] += 100.0
    return scores


def _stop_at(length: int) -> Callable[..., torch.Tensor]:
    return lambda ids, scores, **_: torch.full((len(ids),), ids.shape[1] >= length, device=ids.device)


def _forward(side: Side, **options: Any) -> Any:
    with torch.no_grad():
        return side.model(**side.inputs(), **options)


def _loss(side: Side, **options: Any) -> Any:
    inputs = side.inputs()
    labels = inputs["input_ids"].clone()
    labels[:, :20] = -100
    with torch.no_grad():
        return side.model(**inputs, labels=labels, **options)["loss"]


def _pixels(side: Side, picture: Any, **options: Any) -> Any:
    return side.processor(picture, return_tensors="pt", **options)["pixel_values"]


def _padded(side: Side) -> Any:
    side.tokenizer.padding_side = "left"
    return dict(side.tokenizer(["one", "one two"], padding=True))


def _config_round_trip(side: Side) -> Any:
    config = side.model.config
    again = type(config).from_dict(config.to_dict())
    again.text_config.use_cache = False
    return [again.text_config.use_cache, again.vision_config.mlp_dim, again.image_token_id, again.model_type]


def _from_config(name: str) -> Callable[[Side], Any]:
    return lambda side: getattr(side.library, name).from_pretrained(side.folder)


ARRAY = np.arange(40 * 30 * 3, dtype=np.uint8).reshape(40, 30, 3)

PATTERNS = [
    # Opening
    Pattern("AutoConfig.from_pretrained(folder).text_config.hidden_size",
            lambda s: _from_config("AutoConfig")(s).text_config.hidden_size),
    Pattern("AutoTokenizer.from_pretrained(folder).encode(text)",
            lambda s: _from_config("AutoTokenizer")(s).encode("a page <img>")),
    Pattern("AutoModel.from_pretrained(folder)(**inputs).last_hidden_state",
            lambda s: s.library.AutoModel.from_pretrained(s.folder)(**s.inputs()).last_hidden_state),
    Pattern("GotOcr2ForConditionalGeneration.from_pretrained(folder, trust_remote_code=True, low_cpu_mem_usage=True, "
            'use_safetensors=True, attn_implementation="eager")',
            lambda s: s.library.GotOcr2ForConditionalGeneration.from_pretrained(
                s.folder, trust_remote_code=True, low_cpu_mem_usage=True, use_safetensors=True,
                attn_implementation="eager").lm_head.weight),
    Pattern('from_pretrained(folder, attn_implementation="flash_attention_2")',
            lambda s: s.library.GotOcr2ForConditionalGeneration.from_pretrained(
                s.folder, attn_implementation="flash_attention_2"),
            "refused", 'pass "eager" or "sdpa"'),
    Pattern("from_pretrained(folder, quantization_config=BitsAndBytesConfig(...))",
            lambda s: s.library.GotOcr2ForConditionalGeneration.from_pretrained(
                s.folder, quantization_config={"load_in_8bit": True}),
            "refused", "quantise while reading"),
    Pattern('from_pretrained(folder, use_safetensors=False)',
            lambda s: s.library.GotOcr2ForConditionalGeneration.from_pretrained(s.folder, use_safetensors=False),
            "refused", "safetensors only"),
    # Pictures and prompts
    Pattern('processor(image, return_tensors="pt", device="cpu")["input_ids"]',
            lambda s: s.inputs(device="cpu")["input_ids"]),
    Pattern('processor(image, return_tensors="pt")["pixel_values"]', lambda s: _pixels(s, s.picture)),
    Pattern("processor(image, format=True, crop_to_patches=True, max_patches=3)",
            lambda s: s.inputs(format=True, crop_to_patches=True, max_patches=3)["input_ids"]),
    Pattern("processor(image, box=[20, 30, 90, 75])", lambda s: s.inputs(box=[20, 30, 90, 75])["input_ids"]),
    Pattern('processor(image, color="green")', lambda s: s.inputs(color="green")["input_ids"]),
    Pattern("processor([page1, page2], multi_page=True)",
            lambda s: s.processor([s.picture] * 2, multi_page=True, return_tensors="pt")["input_ids"]),
    Pattern('processor(image, images_kwargs={"crop_to_patches": True, "max_patches": 2})',
            lambda s: s.inputs(images_kwargs={"crop_to_patches": True, "max_patches": 2})["pixel_values"]),
    Pattern("processor(image, text=prompt)",
            lambda s: s.processor(s.picture, text="<img><imgpad></img>?", return_tensors="pt")["input_ids"]),
    Pattern("processor([image, image], text=[with_picture, with_picture], padding=True), padded left",
            lambda s: s.two()["attention_mask"]),
    Pattern("a numpy picture, channels last", lambda s: _pixels(s, ARRAY)),
    Pattern("a numpy picture, channels first", lambda s: _pixels(s, ARRAY.transpose(2, 0, 1).copy())),
    Pattern("a torch picture, channels first", lambda s: _pixels(s, torch.tensor(ARRAY.transpose(2, 0, 1).copy()))),
    Pattern("a torch picture, channels last", lambda s: _pixels(s, torch.tensor(ARRAY))),
    Pattern("batch.to(device, dtype)",
            lambda s: [(v.dtype, str(v.device)) for v in s.inputs().to("cpu", torch.bfloat16).values()]),
    Pattern("processor(image, box=(20, 30, 90, 75))", lambda s: s.inputs(box=(20, 30, 90, 75)), "differs",
            "A tuple is a box too; transformers 5 raises TypeError, and writes into a list that it is given."),
    Pattern("processor(image, box=[-3, 0, 160, 80])", lambda s: s.inputs(box=[-3, 0, 160, 80]), "differs",
            "A box a little outside is cut to the picture, with a warning; transformers asks for thousandths below 0 "
            "or above 1000, which the model never saw. A box far outside is refused."),
    Pattern("processor(image, truncation=True, max_length=8)",
            lambda s: s.inputs(truncation=True, max_length=8), "refused", "truncation would cut"),
    Pattern('processor(text="only words")', lambda s: s.processor(text="only words"), "differs",
            "Prompts without a picture are taken; transformers needs one."),
    # Tokens
    Pattern("tokenizer.decode(ids)", lambda s: s.tokenizer.decode(s.inputs()["input_ids"][0])),
    Pattern("tokenizer.decode(ids, skip_special_tokens=True)",
            lambda s: s.tokenizer.decode(s.inputs()["input_ids"][0], skip_special_tokens=True)),
    Pattern("tokenizer.decode(rows)", lambda s: s.tokenizer.decode([[70, 71], [72]])),
    Pattern("processor.batch_decode(rows)", lambda s: s.processor.batch_decode(s.inputs()["input_ids"])),
    Pattern("processor.post_process_image_text_to_text(ids)",
            lambda s: s.processor.post_process_image_text_to_text(s.inputs()["input_ids"])),
    Pattern("tokenizer.convert_tokens_to_ids(list)",
            lambda s: s.tokenizer.convert_tokens_to_ids(["<img>", "</img>"])),
    Pattern("tokenizer.convert_ids_to_tokens(list)", lambda s: s.tokenizer.convert_ids_to_tokens([70, 300, 80])),
    Pattern("tokenizer(texts, padding=True), padding_side=\"left\"", _padded),
    Pattern("tokenizer(text, truncation=True, max_length=3)",
            lambda s: dict(s.tokenizer("one two three", truncation=True, max_length=3))),
    Pattern("tokenizer.convert_tokens_to_ids(unknown)", lambda s: s.tokenizer.convert_tokens_to_ids("no token"),
            "refused", "has no token"),
    # Forward
    Pattern("model(**inputs).logits", lambda s: _forward(s).logits),
    Pattern("model(**inputs)[0]", lambda s: _forward(s)[0]),
    Pattern('model(**inputs)["logits"]', lambda s: _forward(s)["logits"]),
    Pattern("model(**inputs, return_dict=False)[0]", lambda s: _forward(s, return_dict=False)[0]),
    Pattern("model(**inputs, output_hidden_states=True).hidden_states",
            lambda s: _forward(s, output_hidden_states=True).hidden_states),
    Pattern("model(**inputs, output_attentions=True).attentions",
            lambda s: _forward(s, output_attentions=True).attentions),
    Pattern("model(**inputs, labels=labels).loss", _loss),
    Pattern("model(**inputs, labels=labels, num_items_in_batch=7).loss", lambda s: _loss(s, num_items_in_batch=7)),
    Pattern("model(**inputs, logits_to_keep=2).logits", lambda s: _forward(s, logits_to_keep=2).logits),
    Pattern("model.get_image_features(pixel_values).pooler_output",
            lambda s: s.model.get_image_features(s.inputs()["pixel_values"]).pooler_output),
    # Generation
    Pattern("model.generate(**inputs, do_sample=False, max_new_tokens=n)", _generate()),
    Pattern("generate(..., num_beams=1, num_return_sequences=1, length_penalty=1.0)",
            _generate(num_beams=1, num_return_sequences=1, length_penalty=1.0)),
    Pattern("generate(..., max_length=n)",
            lambda s: s.model.generate(**(i := s.inputs()), do_sample=False, max_length=i["input_ids"].shape[1] + 4)),
    Pattern("generate(..., generation_config=GenerationConfig(...))",
            lambda s: s.model.generate(**s.inputs(), generation_config=_their_config(max_new_tokens=3))),
    Pattern('generate(..., tokenizer=tokenizer, stop_strings="<|im_end|>")',
            lambda s: s.model.generate(**s.inputs(), **N, tokenizer=s.tokenizer, stop_strings="<|im_end|>")),
    Pattern('generate(..., return_dict_in_generate=True)["sequences"]', _detailed("sequences")),
    Pattern("generate(..., return_dict_in_generate=True, output_scores=True).scores",
            _detailed("scores", output_scores=True)),
    Pattern("generate(..., output_logits=True).logits", _detailed("logits", output_logits=True)),
    Pattern("generate(..., output_hidden_states=True).hidden_states",
            _detailed("hidden_states", output_hidden_states=True)),
    Pattern("generate(..., output_attentions=True).attentions", _detailed("attentions", output_attentions=True)),
    Pattern("generate(..., logits_processor=[own])", _generate(logits_processor=[_favour])),
    Pattern("generate(..., stopping_criteria=[own])",
            lambda s: s.model.generate(**(i := s.inputs()), **N,
                                       stopping_criteria=[_stop_at(i["input_ids"].shape[1] + 2)])),
    Pattern("generate(..., repetition_penalty=1.3, no_repeat_ngram_size=2)",
            _generate(repetition_penalty=1.3, no_repeat_ngram_size=2)),
    Pattern("generate(..., num_beams=3)", _beams(num_beams=3)),
    Pattern("generate(..., num_beams=3, num_return_sequences=2)", _beams(num_beams=3, num_return_sequences=2)),
    Pattern("generate(..., num_beams=2, early_stopping=True, length_penalty=0.4)",
            _beams(num_beams=2, early_stopping=True, length_penalty=0.4)),
    Pattern("generate(..., num_beams=4, no_repeat_ngram_size=2, logits_processor=[own])",
            _generate(num_beams=4, no_repeat_ngram_size=2, logits_processor=[_favour])),
    Pattern("generate(..., do_sample=True, num_return_sequences=3).shape",
            lambda s: s.model.generate(**s.inputs(), max_new_tokens=3, do_sample=True, num_return_sequences=3,
                                       min_new_tokens=3).shape),
    Pattern("generate(..., temperature=0.7)", _generate(temperature=0.7), "refused",
            "has no effect without do_sample=True"),
    Pattern("generate(..., num_beams=2, do_sample=True)", _generate(num_beams=2, do_sample=True), "refused",
            "Beams are not drawn"),
    Pattern("generate(..., assistant_model=other)", _generate(assistant_model=object()), "refused",
            "cannot obey assistant_model"),
    Pattern("generate(..., max_new_tokns=3)", _generate(max_new_tokns=3), "refused", "did you mean 'max_new_tokens'"),
    # Configurations
    Pattern("config.to_dict(), from_dict(), writing fields", _config_round_trip),
    Pattern("model.num_parameters()", lambda s: s.model.num_parameters()),
    Pattern("model.get_input_embeddings().weight", lambda s: s.model.get_input_embeddings().weight),
    Pattern("model.config.get_text_config().vocab_size", lambda s: s.model.config.get_text_config().vocab_size),
    Pattern("model.state_dict()", lambda s: s.model.state_dict(), "differs",
            "A tied head is stored once, under the embedding's name, as in files; load_state_dict takes either."),
    Pattern('save_pretrained(folder, safe_serialization=False)',
            lambda s: s.model.save_pretrained(s.folder / "never", safe_serialization=False), "refused",
            "would write a pickle"),
]  # fmt: skip


def _their_config(**values: Any) -> Any:
    from transformers import GenerationConfig

    return GenerationConfig(**values)


def table() -> str:
    """The table of the page, in Markdown."""
    words = {"works": "works", "differs": "differs on purpose", "refused": "refused"}
    rows = [f"| `{p.code}` | {words[p.verdict]} | {_said(p)} |" for p in PATTERNS]
    return "\n".join(["| what you write | | |", "|---|---|---|", *rows]) + "\n"


def _said(pattern: Pattern) -> str:
    return f'"... {pattern.note} ..."' if pattern.verdict == "refused" else pattern.note
