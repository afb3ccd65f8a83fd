import base64
import json
import pickle
import random
import unicodedata
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models

from got_ocr2.errors import CheckpointError, ConfigError, FileAccessError, InvalidOptionError
from got_ocr2.processing import GotOcr2Tokenizer, load_tiktoken
from got_ocr2.processing.byte_level import CHARACTERS, to_bytes, to_characters

# A few characters each of the scripts that a page may hold, and what pre-tokenisers trip over.
ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyzABCXYZ",
    "0123456789",
    " \t\n\r\u00a0\u3000",
    ".,;:!?'\"()[]{}<>|\\/$^_&#%*+-=~`@",
    "àâçéèêëîïôœùûüßÄÖñ",
    "абвгдежзийклмнопрстуфхцчшщъыьэюя",
    "αβγδεζηθικλμνξοπρστυφχψω∑∫√∞≤≥≠",
    "的一是不了人我在有他这为之大来以个中上们",
    "ひらがなカタカナ漢字、。「」",
    "한국어문서가나다라마바사",
    "אבגדהוזחטי",
    "ابتثجحخدذرزسش",
    "हिन्दीपाठक",
    "ไทยภาษา",
    "０１２３４５６７８９Ａ②½Ⅷ",
    "😀👨‍👩‍👧🇨🇭🎼",
    "e\u0301a\u0308\u1100\u1161",
]
WORDS = [
    "the",
    " of",
    "It's",
    " WE'LL",
    "\n\n",
    "  \n ",
    " 1234567",
    "１０",
    "２０",
    "\\begin{tabular}",
    "**kern",
]

# Two drawings: text that looks like language, and anything at all.
multilingual = st.lists(
    st.one_of(st.sampled_from(WORDS), *(st.text(alphabet, min_size=1, max_size=6) for alphabet in ALPHABETS)),
    max_size=12,
).map("".join)
anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
many = settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(text=multilingual | anything)
def test_ids_and_text_equal_transformers(qwen_tokenizer, oracle_tokenizer, text):
    ids = qwen_tokenizer.encode(text)
    assert ids == oracle_tokenizer.encode(text)
    assert qwen_tokenizer.decode(ids, skip_special_tokens=False) == text == oracle_tokenizer.decode(ids)


@many
@given(ids=st.lists(st.integers(0, 151_859), max_size=30), skip=st.booleans())
def test_decoding_random_ids_equals_transformers(qwen_tokenizer, oracle_tokenizer, ids, skip):
    expected = oracle_tokenizer.decode(ids, skip_special_tokens=skip, clean_up_tokenization_spaces=False)
    assert qwen_tokenizer.decode(ids, skip_special_tokens=skip) == expected


def test_every_token_of_the_vocabulary_equals_transformers(qwen_tokenizer, oracle_tokenizer):
    """Each of the 151,643 entries as a text of its own, where it is one."""
    texts = []
    for i in random.Random(3).sample(range(151_643), 8_000):
        try:
            texts.append(to_bytes(qwen_tokenizer.convert_ids_to_tokens(i)).decode("utf-8"))
        except UnicodeDecodeError:
            continue  # part of a character
    assert [qwen_tokenizer.encode(t) for t in texts] == oracle_tokenizer(texts)["input_ids"]


def test_the_vocabulary_equals_transformers(qwen_tokenizer, oracle_tokenizer):
    assert len(qwen_tokenizer) == len(oracle_tokenizer) == 151_860
    assert qwen_tokenizer.vocab_size == oracle_tokenizer.vocab_size
    vocabulary = oracle_tokenizer.get_vocab()
    assert all(qwen_tokenizer.convert_tokens_to_ids(token) == i for token, i in vocabulary.items())
    assert qwen_tokenizer.all_special_ids == list(range(151_643, 151_860))


def test_control_tokens_have_the_published_ids(qwen_tokenizer):
    assert qwen_tokenizer.pad_token_id == 151_643
    assert qwen_tokenizer.eos_token_id == 151_645
    assert qwen_tokenizer.image_token_id == 151_859
    ids = {"<|im_start|>": 151_644, "<|extra_0|>": 151_646, "<|extra_204|>": 151_850, "<ref>": 151_851}
    ids |= {"</ref>": 151_852, "</box>": 151_854, "</quad>": 151_856, "<img>": 151_857, "</img>": 151_858}
    for token, i in ids.items():
        assert qwen_tokenizer.convert_tokens_to_ids(token) == i
        assert qwen_tokenizer.convert_ids_to_tokens(i) == token


# --- merges against a slow twin -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def ranks(qwen_tiktoken):
    pairs = (line.split() for line in qwen_tiktoken.read_bytes().splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


def merge_by_rank(word, ranks):
    """tiktoken's rule, spelt out: always join the leftmost pair of neighbours that makes the lowest rank."""
    if word in ranks:
        return [ranks[word]]
    parts = [bytes([b]) for b in word]
    while True:
        joins = [(ranks[a + b], i) for i, (a, b) in enumerate(pairwise(parts)) if a + b in ranks]
        if not joins:
            return [ranks[part] for part in parts]
        _, i = min(joins)
        parts[i : i + 2] = [parts[i] + parts[i + 1]]


@settings(max_examples=300, deadline=None)
@given(
    word=st.text("aeinorstlh", min_size=1, max_size=20) | st.text("的一是不了人éüжщ", min_size=1, max_size=8)
)
def test_merges_equal_the_rule_of_tiktoken(qwen_tokenizer, ranks, word):
    assert qwen_tokenizer.encode(word) == merge_by_rank(word.encode(), ranks)


# --- the two readings of qwen.tiktoken ------------------------------------------------------------------


def test_rules_differ_where_documented(qwen_tokenizer, qwen_tiktoken):
    qwen = GotOcr2Tokenizer.from_tiktoken(qwen_tiktoken, rules="qwen")
    assert qwen_tokenizer.encode("１０") == [77_150]
    assert qwen_tokenizer.encode("２０") == [80_091]
    assert len(qwen.encode("１０")) == len(qwen.encode("２０")) == 2
    decomposed = "e\u0301"
    assert qwen.encode(decomposed) == qwen.encode("é") != qwen_tokenizer.encode(decomposed)
    rng = random.Random(8)
    for _ in range(100):
        alphabet = rng.choice([a for a in ALPHABETS if "０" not in a])
        text = unicodedata.normalize("NFC", "".join(rng.choices(alphabet + " 0123", k=20)))
        assert qwen.encode(text) == qwen_tokenizer.encode(text)


# --- text that only looks like a control token ----------------------------------------------------------


def test_control_tokens_in_outside_text_can_be_read_as_characters(qwen_tokenizer):
    text = "an <img> tag, <|im_end|> and <imgpad>"
    assert qwen_tokenizer.eos_token_id in qwen_tokenizer.encode(text)
    ids = qwen_tokenizer.encode(text, parse_special=False)
    assert not set(ids) & set(qwen_tokenizer.all_special_ids)
    assert qwen_tokenizer.decode(ids, skip_special_tokens=True) == text
    assert qwen_tokenizer.eos_token_id in qwen_tokenizer.encode(text)


# --- calls ----------------------------------------------------------------------------------------------


def test_calls_return_lists_or_padded_tensors(qwen_tokenizer, oracle_tokenizer):
    texts = ["one", "one two three", ""]
    batch = qwen_tokenizer(texts, padding=True, return_tensors="pt")
    expected = oracle_tokenizer(texts, padding=True, return_tensors="pt")
    for name in ("input_ids", "attention_mask"):
        assert torch.equal(batch[name], expected[name])
    assert batch.input_ids[0, 0] == qwen_tokenizer.pad_token_id
    assert dict(qwen_tokenizer(texts)) == dict(oracle_tokenizer(texts))
    assert dict(qwen_tokenizer("one two")) == dict(oracle_tokenizer("one two"))
    assert qwen_tokenizer("one", return_tensors="np").input_ids.shape == (1, 1)
    with pytest.raises(InvalidOptionError, match=r"\[0, 1, 3\]"):
        qwen_tokenizer(texts, return_tensors="pt")
    with pytest.raises(InvalidOptionError, match="needs max_length"):
        qwen_tokenizer(texts, padding="max_length")


def test_decode_takes_every_kind_of_row(tiny_tokenizer):
    row = tiny_tokenizer.encode("the <img>")
    for ids in (row, tuple(row), np.array(row), torch.tensor(row)):
        assert tiny_tokenizer.decode(ids, skip_special_tokens=True) == "the "
        assert tiny_tokenizer.decode(ids) == "the <img>"
    assert tiny_tokenizer.decode(257) == tiny_tokenizer.decode(torch.tensor(257)) == "the"
    assert tiny_tokenizer.decode([]) == ""
    assert tiny_tokenizer.batch_decode(torch.tensor([row, row]), skip_special_tokens=True) == ["the ", "the "]
    assert tiny_tokenizer.batch_decode([row, []]) == ["the <img>", ""]
    assert tiny_tokenizer.decode([257, 10_000]) == "the"
    assert tiny_tokenizer.decode([row, row]) == ["the <img>", "the <img>"]
    with pytest.raises(InvalidOptionError, match="-100"):
        tiny_tokenizer.decode([257, -100])


def test_spaces_are_never_cleaned_up(tiny_tokenizer):
    text = " a , b . do n't  ! "
    assert tiny_tokenizer.decode(tiny_tokenizer.encode(text)) == text


def test_unknown_tokens_and_ids_are_named(tiny_tokenizer):
    with pytest.raises(InvalidOptionError, match="'<nothing>'"):
        tiny_tokenizer.convert_tokens_to_ids("<nothing>")
    for i in (-1, 269):
        with pytest.raises(InvalidOptionError, match=f"Id {i} is outside the vocabulary of 269"):
            tiny_tokenizer.convert_ids_to_tokens(i)


def test_byte_alphabet_is_the_one_of_tokenizers():
    from tokenizers.pre_tokenizers import ByteLevel

    assert sorted(CHARACTERS) == sorted(ByteLevel.alphabet())
    every = bytes(range(256))
    assert to_bytes(to_characters(every)) == every
    assert decoders.ByteLevel().decode([CHARACTERS[b] for b in "naïve 文".encode()]) == "naïve 文"


# --- our own small tokenizer ----------------------------------------------------------------------------


def test_fixed_phrases_may_be_single_tokens(tiny_tokenizer):
    text = "<|im_start|>user\n<img><imgpad></img>\n[1] OCR with format: <|im_end|><|im_start|>assistant\n"
    ids = tiny_tokenizer.encode(text)
    tokens = [tiny_tokenizer.convert_ids_to_tokens(i) for i in ids]
    assert tokens[:5] == ["<|im_start|>", "user\n", "<img>", "<imgpad>", "</img>"]
    assert tokens[-4:] == ["OCR with format: ", "<|im_end|>", "<|im_start|>", "assistant\n"]
    assert tiny_tokenizer.decode(ids) == text
    assert tiny_tokenizer.decode(ids, skip_special_tokens=True) == "user\n\n[1] OCR with format: assistant\n"


def test_tokenizers_can_be_pickled(tiny_tokenizer):
    tiny_tokenizer.encode("<img>", parse_special=False)
    again = pickle.loads(pickle.dumps(tiny_tokenizer))
    assert again.encode("the OCR: ") == tiny_tokenizer.encode("the OCR: ")


# --- files ----------------------------------------------------------------------------------------------


def test_files_round_trip(tiny_tokenizer, tmp_path):
    tiny_tokenizer.settings["model_max_length"] = 77
    tiny_tokenizer.save_pretrained(tmp_path / "new")
    again = GotOcr2Tokenizer.from_pretrained(tmp_path / "new")
    assert again.settings["model_max_length"] == 77
    assert again.encode("the OCR: <img>") == tiny_tokenizer.encode("the OCR: <img>")
    assert again.all_special_ids == tiny_tokenizer.all_special_ids


def test_transformers_reads_our_files(tiny_tokenizer, tmp_path):
    transformers = pytest.importorskip("transformers")
    tiny_tokenizer.save_pretrained(tmp_path)
    oracle = transformers.AutoTokenizer.from_pretrained(tmp_path)
    text = "<|im_start|>user\n the OCR: <|im_end|>"
    assert oracle.encode(text) == tiny_tokenizer.encode(text)
    assert oracle.eos_token_id == tiny_tokenizer.eos_token_id
    assert oracle.pad_token_id == tiny_tokenizer.pad_token_id
    assert oracle.padding_side == "left"


def test_we_read_the_files_of_transformers(tiny_backend, tiny_tokenizer, tmp_path):
    transformers = pytest.importorskip("transformers")
    published = {"eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "padding_side": "right"}
    oracle = transformers.PreTrainedTokenizerFast(tokenizer_object=tiny_backend, **published)
    oracle.save_pretrained(tmp_path)
    ours = GotOcr2Tokenizer.from_pretrained(tmp_path)
    text = "Ünïcode １０ \\section*{x} OCR: <|im_end|>"
    assert ours.encode(text) == tiny_tokenizer.encode(text)
    assert ours.convert_ids_to_tokens(ours.eos_token_id) == "<|im_end|>"
    assert ours(["a", "bc"], padding=True).attention_mask == [[0, 1], [1, 1]]
    assert ours.settings["eos_token"] == "<|endoftext|>"


def test_padding_and_truncation_in_a_file_are_switched_off(tiny_tokenizer, tmp_path):
    tiny_tokenizer.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    backend = Tokenizer.from_file(str(path))
    backend.enable_padding(length=50)
    backend.enable_truncation(3)
    backend.save(str(path))
    ours = GotOcr2Tokenizer.from_pretrained(tmp_path)
    assert len(ours.encode("a longer text than three")) > 3
    assert len(ours.encode("a")) == 1


def test_other_kinds_of_tokenizer_are_refused():
    backend = Tokenizer(models.BPE())
    with pytest.raises(CheckpointError, match=r"ByteLevel.* got NoneType"):
        GotOcr2Tokenizer(backend)
    backend.decoder = decoders.Metaspace()
    with pytest.raises(CheckpointError, match=r"ByteLevel.* got Metaspace"):
        GotOcr2Tokenizer(backend)


def test_missing_control_tokens_are_named(tiny_tokenizer, tmp_path):
    tiny_tokenizer.save_pretrained(tmp_path)
    path = tmp_path / "tokenizer.json"
    data = json.loads(path.read_text())
    data["added_tokens"] = [t for t in data["added_tokens"] if t["content"] not in ("<img>", "<|im_end|>")]
    path.write_text(json.dumps(data))
    with pytest.raises(CheckpointError, match=r"no special token <\|im_end\|>, <img>"):
        GotOcr2Tokenizer.from_pretrained(tmp_path)


def test_missing_and_damaged_files_say_so(tiny_tokenizer, tmp_path):
    with pytest.raises(FileAccessError, match=r"neither tokenizer\.json nor qwen\.tiktoken"):
        GotOcr2Tokenizer.from_pretrained(tmp_path)
    (tmp_path / "tokenizer.json").write_text('{"model": 3}')
    with pytest.raises(CheckpointError, match=r"tokenizer\.json is not a tokenizer"):
        GotOcr2Tokenizer.from_pretrained(tmp_path)
    tiny_tokenizer.save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text("{")
    with pytest.raises(ConfigError, match="not JSON"):
        GotOcr2Tokenizer.from_pretrained(tmp_path)
    with pytest.raises(FileAccessError, match="cannot be written"):
        tiny_tokenizer.save_pretrained(tmp_path / "tokenizer.json")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["IQ== 0", "no rank here"], "line 2: not a base64"),
        (["I=Q 0"], "line 1: not a base64"),
        (["IQ== 0", "Ig== 2"], "the 2 tokens do not have the ranks 0 to 1"),
        (["IQ== 0", "Ig== 1"], "254 of the 256 single bytes"),
    ],
)
def test_damaged_vocabularies_say_so(tmp_path, lines, message):
    path = tmp_path / "qwen.tiktoken"
    path.write_text("\n".join(lines) + "\n\n")
    with pytest.raises(CheckpointError, match=message):
        load_tiktoken(path)
    with pytest.raises(FileAccessError, match="cannot be read"):
        load_tiktoken(tmp_path / "nowhere")
