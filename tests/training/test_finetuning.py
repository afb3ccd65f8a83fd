"""Training on one's own pages: every layout, every mode, and every mistake by its name."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest
import torch
from PIL import Image
from test_training_pieces import ENGINE, TINY

from got_ocr2 import OCR
from got_ocr2.cli import main
from got_ocr2.errors import (
    CheckpointError,
    FileAccessError,
    InputError,
    InvalidOptionError,
    MissingDependencyError,
)
from got_ocr2.synth.sample import Task
from got_ocr2.training.adapters import CONFIG_NAME, add_adapter, merge_saved
from got_ocr2.training.config import StageConfig
from got_ocr2.training.data.batch_stream import BatchStream
from got_ocr2.training.data.batches import Collator
from got_ocr2.training.data.examples import Example, Examples, read_examples
from got_ocr2.training.data.preflight import check_examples, sanity
from got_ocr2.training.data.sample_prompts import question_of, task_of
from got_ocr2.training.finetune import FineTuning, finetune
from got_ocr2.training.loop import STATE_NAME, Trainer
from got_ocr2.training.records.log import read_log
from got_ocr2.training.run import build, export

HOW = FineTuning(steps=2, batch_size=2, workers=0, bf16=False, learning_rate=3e-3, hold_out=1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    export(*build(TINY, (64, 128), seed=5), folder)
    return folder


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """Five pictures with a text each."""
    folder = tmp_path_factory.mktemp("pairs")
    for i in range(5):
        sample = ENGINE.sample(3, i)
        sample.image.save(folder / f"{i}.png")
        (folder / f"{i}.txt").write_text(sample.text + "\n", encoding="utf-8")
    return folder


def collator(limit=400):
    return Collator(build(TINY, (64, 128), seed=5)[1], (8, 8), limit)


# --- data -----------------------------------------------------------------------------------------------


def test_pairs_lines_and_conversations_are_the_same_data(pairs, tmp_path):
    texts = [ENGINE.sample(3, i).text for i in range(5)]
    for i in range(5):
        (tmp_path / f"{i}.png").write_bytes((pairs / f"{i}.png").read_bytes())
    lines = [{"image": f"{i}.png", "text": text} for i, text in enumerate(texts)]
    lines[1] = {"id": "x-1", "images": ["1.png"], "text": texts[1], "task": {}, "kind": "text"}
    (tmp_path / "mine.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
    talks = [
        {
            "image": f"{i}.png",
            "conversations": [{"from": "human", "value": "<image>\nOCR: "}, {"from": "gpt", "value": text}],
        }
        for i, text in enumerate(texts)
    ]
    (tmp_path / "conversations.json").write_text(json.dumps(talks))
    for path in (pairs, tmp_path / "mine.jsonl", tmp_path):
        samples = [example.sample() for example in read_examples(path)]
        assert [sample.text for sample in samples] == texts
        assert {sample.task for sample in samples} == {Task()}
        assert samples[4].image.tobytes() == ENGINE.sample(3, 4).image.tobytes()
    assert read_examples(tmp_path / "mine.jsonl")[1].name.startswith("x-1 (")


@pytest.mark.parametrize("dialect", ["original", "hf"])
@pytest.mark.parametrize(
    "task",
    [
        Task(), Task(format=True), Task(color="green"), Task(box=(10.0, 3.0, 77.0, 41.0)),
        Task(color="red", format=True), Task(format=True, multi_page=True), Task(crop_to_patches=True),
    ],
)  # fmt: skip
def test_questions_of_both_dialects_come_back_as_their_task(task, dialect):
    _, processor = build(TINY, (64, 128), seed=0)
    processor.dialect = dialect
    processor.image_processor = replace(processor.image_processor, resize_mode="squash", max_upscale=None)
    size = (131, 67)
    image = Image.new("RGB", size)
    inputs = processor([image], **asdict(task))
    prompt = processor.decode(inputs["input_ids"][0], skip_special_tokens=True)
    question = prompt.split("user\n")[1].removeprefix("\n").split("assistant")[0]
    found = task_of(question, size)
    assert found is not None
    assert replace(found, box=None) == replace(task, box=None)
    if task.box is not None:
        thousandths = processor.image_processor.box_in_thousandths
        assert thousandths(found.box, size[::-1]) == thousandths(task.box, size[::-1])
    assert task_of("Read this: ", size) is None
    assert task_of("[999, 1000, 1000, 1000] OCR: ", size).box[2:] == (131.0, 67.0)


def test_a_question_of_ones_own_is_asked_in_its_words(tmp_path, pairs):
    entry = {
        "image": str(pairs / "0.png"),
        "conversations": [
            {"from": "human", "value": "<image>\nHow much? "}, {"from": "gpt", "value": "7.50"},
        ],
    }  # fmt: skip
    (tmp_path / "conversations.json").write_text(json.dumps([entry]))
    sample = read_examples(tmp_path)[0].sample()
    ids = collator()([sample]).input_ids[0]
    processor = collator().processor
    text = processor.decode(ids, skip_special_tokens=True)
    assert text.split("user\n")[1].endswith("How much? assistant\n7.50")
    plain = processor(**question_of(replace(sample, question="OCR: "), processor))["input_ids"]
    assert torch.equal(plain, processor(sample.image)["input_ids"])


def test_a_folder_of_pages_is_one_document_in_the_order_of_its_numbers(tmp_path):
    (tmp_path / "doc").mkdir()
    for number in (10, 9, 2):
        Image.new("RGB", (number, 5)).save(tmp_path / "doc" / f"{number}.png")
    talk = [
        {"from": "human", "value": "<image>\nOCR with format across multi pages: "},
        {"from": "gpt", "value": "t"},
    ]
    (tmp_path / "c.json").write_text(json.dumps([{"image": "doc", "conversations": talk}]))
    sample = read_examples(tmp_path / "c.json")[0].sample()
    assert [page.width for page in sample.images] == [2, 9, 10]
    assert sample.task == Task(format=True, multi_page=True)
    assert collator(500)([sample]).pixel_values.shape[0] == 3


def test_what_is_no_example_is_named(tmp_path):
    def talk(**changes):
        turns = [{"from": "human", "value": "<image>\nOCR: "}, {"from": "gpt", "value": "t"}]
        return {"image": "a.png", "conversations": turns, **changes}

    three = [*talk()["conversations"], {"from": "human", "value": "and?"}]
    empty = tmp_path / "empty"
    empty.mkdir()
    cases = [
        ("a.jsonl", '{"image": "a.png"}', InputError, "a.jsonl line 1 has no 'text'"),
        ("a.jsonl", '{"image": "a.png", "text": 3}', InputError, "line 1 must be a string, got int"),
        ("a.jsonl", '{"image": "a.png", "text": "", "task": {"colour": 1}}', InputError, "line 1 is no example"),
        ("a.jsonl", "\n", InputError, "holds no examples"),
        ("a.json", "{", InputError, "is not JSON"),
        ("a.json", "{}", InputError, "a list of conversations, not dict"),
        ("a.json", json.dumps([talk(), {"image": "b"}]), InputError, "entry 2 is no conversation"),
        ("a.json", json.dumps([talk(conversations=three)]), InputError, r"got \['human', 'gpt', 'human'\]"),
        ("a.json", json.dumps([talk(conversations=[{"from": "human", "value": "OCR: "}, three[1]])]), InputError,
         "must have <image> once"),
        ("a.json", json.dumps([talk(image="empty")]), FileAccessError, "names the folder .* holds no pictures"),
    ]  # fmt: skip
    for name, content, error, message in cases:
        (tmp_path / name).write_text(content)
        with pytest.raises(error, match=message):
            read_examples(tmp_path / name)
    with pytest.raises(FileAccessError, match=r"holds no training data: no data\.jsonl"):
        read_examples(empty)
    with pytest.raises(FileAccessError, match="no training data at"):
        read_examples(tmp_path / "none")


def test_every_round_has_every_page_once(pairs):
    engine = Examples(read_examples(pairs))
    rounds = [[engine.sample(0, turn * 5 + i).text for i in range(5)] for turn in range(3)]
    assert len({tuple(r) for r in rounds}) > 1
    assert {tuple(sorted(r)) for r in rounds} == {tuple(sorted(rounds[0]))}
    assert len(set(rounds[0])) == 5
    assert [engine.sample(0, i).text for i in range(5)] == rounds[0]


# --- before training ------------------------------------------------------------------------------------


def test_pages_that_cannot_be_used_are_named_before_training(pairs, tmp_path):
    broken, missing = tmp_path / "broken.png", tmp_path / "missing.png"
    broken.write_bytes((pairs / "0.png").read_bytes()[:-200])
    good = read_examples(pairs)
    with pytest.raises(InputError, match=r"The sample page 7 cannot be used: .*broken\.png is damaged"):
        check_examples([*good, Example("page 7", (broken,), "x")], collator())
    with pytest.raises(FileAccessError, match=r"The sample page 8 cannot be used: .*missing\.png"):
        check_examples([Example("page 8", (missing,), "x")], collator())


def test_long_samples_are_an_error_or_counted_never_cut(pairs):
    examples = [*read_examples(pairs), Example("the long one", (pairs / "0.png",), "x" * 500)]
    length = collator().length(examples[-1].sample())
    assert length == collator(600)([examples[-1].sample()]).input_ids.shape[1]
    with pytest.raises(
        InvalidOptionError, match=rf"1 of 6 samples are longer than 400 .* the long one takes {length}"
    ):
        check_examples(examples, collator())
    done: list[int] = []
    fit, long = check_examples(examples, collator(), skip_long=True, progress=done.append)
    assert fit == examples[:5]
    assert [(found.example.name, found.length) for found in long] == [("the long one", length)]
    assert done == [1, 2, 3, 4, 5, 6]
    with pytest.raises(InvalidOptionError, match="None of 6 samples fits into 3 ids"):
        check_examples(examples, collator(3), skip_long=True)


def test_the_first_loss_is_judged():
    said = [sanity(loss, 1000, 4) for loss in (0.2, 3.0, math.log(1000), 9.0)]
    assert "loss is 0.200 a token on 4 pages" in said[0]
    assert all("ln(1000) = 6.91" in line for line in said)
    words = ("how it should start", "look at the prompts", "right for a fresh one", "worse than guessing")
    assert [[w in line for w in words].index(True) for line in said] == [0, 1, 2, 3]


# --- training -------------------------------------------------------------------------------------------


def test_pages_learnt_by_heart_are_less_surprising(checkpoint, pairs, tmp_path):
    told: list[str] = []
    one = tmp_path / "one"
    one.mkdir()
    for name in ("0.png", "0.txt"):
        (one / name).write_bytes((pairs / name).read_bytes())
    how = replace(HOW, steps=24, batch_size=5)
    model = finetune(checkpoint, pairs, tmp_path, how, test=one, log=told.append)
    rows = [row for row in read_log(tmp_path / "training") if "held_out_loss" in row]
    assert [row["step"] for row in rows] == [0, 6, 12, 18, 24]
    assert rows[-1]["held_out_loss"] < 0.8 * rows[0]["held_out_loss"]
    assert any("guessing is ln(282)" in line and "right for a fresh one" in line for line in told)
    assert any(line.startswith("5 pages to learn from, 1 held out;") for line in told)
    result = OCR.from_pretrained(model).read(pairs / "0.png", max_new_tokens=3)
    assert result.tokens <= 3


def test_a_frozen_encoder_is_neither_trained_nor_saved(checkpoint, pairs, tmp_path):
    model = finetune(checkpoint, pairs, tmp_path, replace(HOW, mode="frozen-vision"), log=[].append)
    before, after = (OCR.from_pretrained(folder).model.state_dict() for folder in (checkpoint, model))
    changed = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert changed
    assert not any("vision_tower" in name or "conv_upsampler" in name for name in changed)
    state = torch.load(tmp_path / "training" / STATE_NAME, weights_only=True)["weights"]
    assert not any("vision_tower" in name for name in state)


def test_an_adapter_is_saved_small_and_merged(checkpoint, pairs, tmp_path):
    pytest.importorskip("peft")
    how = replace(HOW, mode="lora", rank=3, target="all", ema=0.5)
    model = finetune(checkpoint, pairs, tmp_path / "run", how, log=[].append)
    merged = OCR.from_pretrained(model).model
    base = OCR.from_pretrained(checkpoint).model
    again = merge_saved(OCR.from_pretrained(checkpoint).model, tmp_path / "run" / "adapter")
    changed = set()
    for name, value in again.state_dict().items():
        assert torch.equal(value.bfloat16().float(), merged.state_dict()[name]), name
        if not torch.equal(value, base.state_dict()[name]):
            changed.add(name.split(".")[-2])
    assert changed == {
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "qkv", "proj", "lin1", "lin2",
        "multimodal_projector",
    }  # fmt: skip
    state = torch.load(tmp_path / "run" / "training" / STATE_NAME, weights_only=True)["weights"]
    assert state.keys()
    assert all("lora_" in name for name in state)
    assert main(["merge", str(checkpoint), str(tmp_path / "run" / "adapter"), "-o", str(tmp_path / "m")]) == 0
    for name, value in OCR.from_pretrained(tmp_path / "m").model.state_dict().items():
        assert torch.equal(value, merged.state_dict()[name]), name
    assert main(["merge", str(checkpoint), str(tmp_path / "run" / "adapter"), "-o", str(tmp_path / "m")]) == 5


def test_adapters_that_cannot_be_are_refused(checkpoint, tmp_path, monkeypatch):
    model, _ = build(TINY, (64, 128), 0)
    for options, message in (
        ({"rank": 0}, "rank of an adapter must be >= 1, got 0"), ({"alpha": 0.0}, "above 0, got 0"),
        ({"target": "head"}, "decoder, all, got 'head'"),
    ):  # fmt: skip
        with pytest.raises(InvalidOptionError, match=message):
            add_adapter(model, **options)
    with pytest.raises(FileAccessError, match=f"{CONFIG_NAME} is missing"):
        merge_saved(model, tmp_path)
    with monkeypatch.context() as patch:
        patch.setitem(__import__("sys").modules, "peft", None)
        with pytest.raises(MissingDependencyError, match=r"got-ocr2\[train\]"):
            add_adapter(model)


def test_a_run_goes_on_with_its_own_settings_only(checkpoint, pairs, tmp_path):
    finetune(checkpoint, pairs, tmp_path, HOW, log=[].append)
    told: list[str] = []
    finetune(checkpoint, pairs, tmp_path, HOW, log=told.append)
    assert "Going on after step 2 of 2." in told
    with pytest.raises(InvalidOptionError, match=r"a run with learning_rate=0\.003, not 0\.1"):
        finetune(checkpoint, pairs, tmp_path, replace(HOW, learning_rate=0.1), log=[].append)
    model, processor = build(TINY, (64, 128), 0)
    stage = StageConfig(glyph_weight=0.0, workers=0)
    stream = BatchStream(ENGINE, Collator(processor, (8, 8), 400), 2, 0)
    state = torch.load(tmp_path / "training" / STATE_NAME, weights_only=True)
    del state["weights"]["model.model.language_model.norm.weight"]
    torch.save(state, tmp_path / "training" / STATE_NAME)
    with pytest.raises(CheckpointError, match="of another network or mode: it lacks"):
        Trainer(model, stage, stream, tmp_path / "training")


def test_settings_that_cannot_be_are_refused(checkpoint, pairs, tmp_path):
    for setting, message in (
        ({"mode": "half"}, "full, frozen-vision, lora, got 'half'"), ({"epochs": 0.0}, "epochs must be above 0"),
        ({"batch_size": 0}, "batch_size must be >= 1, got 0"), ({"hold_out": -2}, "hold_out must be >= -1"),
        ({"learning_rate": -1.0}, "learning_rate must be >= 0, got -1.0"),
    ):  # fmt: skip
        with pytest.raises(InvalidOptionError, match=message):
            replace(HOW, **setting)
    with pytest.raises(InvalidOptionError, match="leave out --shard or --mode lora"):
        finetune(checkpoint, pairs, tmp_path, replace(HOW, mode="lora"), log=[].append, shard=True)
    assert replace(HOW, minutes=2.5).stage(5).minutes == 2.5
    with pytest.raises(InvalidOptionError, match="hold_out is 5, but there are 5 pages"):
        finetune(checkpoint, pairs, tmp_path, replace(HOW, hold_out=5), log=[].append)
    assert replace(HOW, steps=0, epochs=3.0).stage(pages=5).steps == 8
    assert replace(HOW, learning_rate=0.0).stage(5).learning_rate == 2e-5
    assert replace(HOW, learning_rate=0.0, mode="lora").stage(5).learning_rate == 2e-4


def test_the_command(checkpoint, pairs, tmp_path, capsys):
    long = tmp_path / "data"
    long.mkdir()
    for file in pairs.iterdir():
        (long / file.name).write_bytes(file.read_bytes())
    (long / "4.txt").write_text("x" * 600)
    command = ["finetune", str(checkpoint), str(long), "-o", str(tmp_path / "out"), "--steps", "1", "--workers", "0",
               "--batch-size", "2", "--hold-out", "1", "--device", "cpu"]  # fmt: skip
    assert main(command) == 1
    assert "1 of 5 samples are longer than 512 ids" in capsys.readouterr().err
    assert main([*command, "-o", str(tmp_path / "out2"), "--skip-long"]) == 0
    said = capsys.readouterr().err
    assert "Left out 1 of 5 samples" in said
    assert f"{long / '4.png'}: 6" in said
    assert "training: step 1 of 1, loss " in said
    assert (tmp_path / "out2" / "model" / "model.safetensors").is_file()
