"""Trainer, peft, accelerate, DataParallel, torch.compile, pipelines, the hub: each does its work with the model."""

from __future__ import annotations

import copy
import warnings
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from got_ocr2 import GotOcr2ForConditionalGeneration, GotOcr2Processor
from got_ocr2.errors import CheckpointError, InvalidOptionError
from got_ocr2.integrations.trainer import WholeCheckpoints

transformers = pytest.importorskip("transformers")


@pytest.fixture
def model(byte_folder) -> GotOcr2ForConditionalGeneration:
    return GotOcr2ForConditionalGeneration.from_pretrained(byte_folder)


@pytest.fixture
def processor(byte_folder) -> GotOcr2Processor:
    return GotOcr2Processor.from_pretrained(byte_folder)


@pytest.fixture
def example(processor, page_image) -> dict[str, torch.Tensor]:
    """A page and its answer, as one row of ids and labels."""
    batch = processor(page_image)
    answer = torch.tensor([processor.tokenizer.encode("General OCR<|im_end|>")])
    ids = torch.cat([batch["input_ids"], answer], 1)
    labels = torch.cat([torch.full_like(batch["input_ids"], -100), answer], 1)
    return {
        "input_ids": ids, "attention_mask": torch.ones_like(ids), "pixel_values": batch["pixel_values"],
        "labels": labels,
    }  # fmt: skip


class Pages(torch.utils.data.Dataset):
    def __init__(self, example: dict[str, torch.Tensor], count: int) -> None:
        self.row, self.count = {name: value[0] for name, value in example.items()}, count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return self.row


def trainer(model: Any, example: dict[str, torch.Tensor], folder: Any, **options: Any) -> Any:
    arguments = transformers.TrainingArguments(
        str(folder), per_device_train_batch_size=2, learning_rate=3e-3, logging_steps=1, report_to=[], use_cpu=True,
        disable_tqdm=True, dataloader_pin_memory=False, **{"max_steps": 6, "save_steps": 3, **options},
    )  # fmt: skip
    return transformers.Trainer(model=model, args=arguments, train_dataset=Pages(example, 16))


@pytest.mark.filterwarnings("ignore")
def test_trainer_trains_saves_and_goes_on(model, processor, example, tmp_path):
    first = trainer(model, example, tmp_path)
    first.processing_class = processor
    first.train()
    losses = [entry["loss"] for entry in first.state.log_history if "loss" in entry]
    assert len(losses) == 6
    assert losses[-1] < 0.85 * losses[0]

    with pytest.raises(
        CheckpointError, match=r"pass config=\.\.\., and put .*WholeCheckpoints before Trainer"
    ):
        GotOcr2ForConditionalGeneration.from_pretrained(tmp_path / "checkpoint-6")
    stored = GotOcr2ForConditionalGeneration.from_pretrained(tmp_path / "checkpoint-6", config=model.config)
    for name, value in model.state_dict().items():
        assert torch.equal(value, stored.state_dict()[name]), name
    assert GotOcr2Processor.from_pretrained(tmp_path / "checkpoint-6").num_image_tokens == 9

    again = trainer(copy.deepcopy(stored), example, tmp_path, max_steps=8)
    again.train(resume_from_checkpoint=str(tmp_path / "checkpoint-6"))
    assert again.state.global_step == 8
    model.save_pretrained(tmp_path / "whole")
    assert GotOcr2ForConditionalGeneration.from_pretrained(tmp_path / "whole").num_parameters() > 0


@pytest.mark.filterwarnings("ignore")
def test_checkpoints_of_a_trainer_are_whole(model, example, tmp_path):
    class Trainer(WholeCheckpoints, transformers.Trainer):
        pass

    arguments = transformers.TrainingArguments(
        str(tmp_path), per_device_train_batch_size=2, max_steps=1, save_steps=1, report_to=[], use_cpu=True,
        disable_tqdm=True,
    )  # fmt: skip
    run = Trainer(model=model, args=arguments, train_dataset=Pages(example, 2))
    run.train()
    run.save_model(str(tmp_path / "mine"))
    for folder in ("checkpoint-1", "mine"):
        stored = GotOcr2ForConditionalGeneration.from_pretrained(tmp_path / folder)
        assert stored.config == model.config
        assert stored.generation_defaults == model.generation_defaults
        for name, value in model.state_dict().items():
            assert torch.equal(value, stored.state_dict()[name]), name


@pytest.mark.filterwarnings("ignore")
def test_trainer_and_recomputation_give_the_same_loss(byte_folder, example, tmp_path):
    losses = []
    for recompute in (False, True):
        model = GotOcr2ForConditionalGeneration.from_pretrained(byte_folder)
        run = trainer(model, example, tmp_path / str(recompute), max_steps=3, save_strategy="no",
                      gradient_checkpointing=recompute, gradient_accumulation_steps=2)  # fmt: skip
        run.train()
        assert model.is_gradient_checkpointing is recompute
        losses.append([entry["loss"] for entry in run.state.log_history if "loss" in entry])
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("task", ["CAUSAL_LM", "FEATURE_EXTRACTION", None])
def test_peft_of_every_task(task, model, example, tmp_path):
    peft = pytest.importorskip("peft")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    config = peft.LoraConfig(r=2, target_modules=["q_proj", "v_proj"], task_type=task)
    adapted = peft.get_peft_model(model, config)
    adapted.enable_input_require_grads()
    loss = adapted(**example)["loss"]
    loss.backward()
    learning = [name for name, p in adapted.named_parameters() if p.grad is not None]
    assert learning
    assert all("lora_" in name for name in learning)
    adapted.save_pretrained(str(tmp_path))
    if task != "FEATURE_EXTRACTION":
        ids = {n: v for n, v in example.items() if n != "labels"}
        assert adapted.generate(**ids, max_new_tokens=2).shape[1] == ids["input_ids"].shape[1] + 2
    merged = adapted.merge_and_unload()
    assert before.keys() == merged.state_dict().keys()


def test_an_adapter_is_added_in_place(model, example):
    peft = pytest.importorskip("peft")
    model.add_adapter(peft.LoraConfig(r=2, target_modules=["q_proj"]))
    assert 0 < model.num_parameters(only_trainable=True) < model.num_parameters()
    model(**example).loss.backward()


def test_gradients_are_the_same_with_recomputation(model, example):
    model.train()
    model(**example).loss.backward()
    expected = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": True})
    model(**example).loss.backward()
    for name, p in model.named_parameters():
        torch.testing.assert_close(p.grad, expected[name])
    model.gradient_checkpointing_disable()
    assert not model.is_gradient_checkpointing


@pytest.mark.filterwarnings("ignore")
def test_accelerate_prepares_the_model(model, example):
    accelerate = pytest.importorskip("accelerate")
    accelerator = accelerate.Accelerator(cpu=True)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    prepared, optimizer = accelerator.prepare(model, optimizer)
    loss = prepared(**example)["loss"]
    accelerator.backward(loss)
    optimizer.step()
    assert accelerator.unwrap_model(prepared) is model


def test_what_several_devices_give_is_gathered(model, example):
    parts = [model(**example, return_dict=True) for _ in range(2)]
    joined = type(parts[0])(
        {
            name: torch.cat([part[name][None] if part[name].ndim == 0 else part[name] for part in parts])
            for name in parts[0]
        }
    )
    assert joined.logits.shape[0] == 2
    # What DataParallel does with a dict, on one device: `gather` rebuilds the class from pairs.
    rebuilt = type(parts[0])((name, parts[0][name]) for name in parts[0])
    assert torch.equal(rebuilt.logits, parts[0].logits)
    wrapped = nn.DataParallel(model)
    assert torch.equal(wrapped(**example)["logits"], parts[0]["logits"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("masked", [False, True])
def test_the_forward_pass_compiles_without_a_break(masked, model, example):
    if masked:
        example["attention_mask"][:, 0] = 0
    torch._dynamo.reset()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(**example)["logits"], model(**example)["logits"])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", ["function", "class"])
def test_a_pipeline_reads(make, model, processor, page_image):
    prompt = processor.tokenizer.decode(processor(page_image)["input_ids"][0]).replace(
        "<imgpad>" * 9, "<imgpad>"
    )
    if make == "function":
        reader = transformers.pipeline("image-text-to-text", model=model, processor=processor, device="cpu")
    else:
        reader = transformers.ImageTextToTextPipeline(model=model, processor=processor, device="cpu")
    (answer,) = reader(images=page_image, text=prompt, max_new_tokens=4, return_full_text=False)
    ids = model.generate(**processor(page_image), max_new_tokens=4)
    new = ids[0, processor(page_image)["input_ids"].shape[1] :]
    assert answer["generated_text"] == processor.decode(new, skip_special_tokens=True)


@pytest.mark.parametrize("tied", [True, False])
def test_embeddings_grow_and_shrink(tied, make_model, byte_config, example):
    from dataclasses import replace

    model = make_model(replace(copy.deepcopy(byte_config), tie_word_embeddings=tied))
    old = model(**example).logits
    grown = model.resize_token_embeddings(530)
    assert grown.num_embeddings == model.config.text_config.vocab_size == model.lm_head.out_features == 530
    torch.testing.assert_close(model(**example).logits[..., :517], old)
    assert (model.lm_head.weight is grown.weight) is tied
    model.resize_token_embeddings(517)
    torch.testing.assert_close(model(**example).logits, old)
    assert model.resize_token_embeddings(pad_to_multiple_of=64).num_embeddings == 576
    with pytest.raises(InvalidOptionError, match="leave out the image token, 516"):
        model.resize_token_embeddings(500)


def test_the_hub_gets_a_whole_checkpoint(model, monkeypatch):
    import huggingface_hub

    seen: dict[str, Any] = {}

    class Hub:
        def __init__(self, token: Any = None) -> None:
            seen["token"] = token

        def create_repo(self, repo_id: str, **options: Any) -> Any:
            seen.update(options, created=repo_id)
            return SimpleNamespace(repo_id=repo_id)

        def upload_folder(self, *, folder_path: str, **options: Any) -> Any:
            from pathlib import Path

            seen.update(options, files=sorted(p.name for p in Path(folder_path).iterdir()))
            seen["weights"] = load_file(Path(folder_path) / "model.safetensors")
            return SimpleNamespace(commit_url="https://hub/commit")

    monkeypatch.setattr(huggingface_hub, "HfApi", Hub)
    assert model.push_to_hub("owner/name", private=True, token="t") == "https://hub/commit"
    assert (seen["created"], seen["private"], seen["token"]) == ("owner/name", True, "t")
    assert seen["files"] == ["config.json", "generation_config.json", "model.safetensors"]
    assert len(seen["weights"]) == len(model.state_dict())


@pytest.mark.parametrize("activation", ["quick_gelu", "gelu_pytorch_tanh", "relu"])
def test_other_activations_equal_transformers(activation, make_model, make_oracle, byte_config, example):
    from dataclasses import replace

    vision = replace(byte_config.vision_config, hidden_act=activation)
    text = replace(byte_config.text_config, hidden_act="gelu")
    model = make_model(replace(byte_config, vision_config=vision, text_config=text))
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = make_oracle(model)(**{n: v for n, v in example.items() if n != "labels"}).logits
        torch.testing.assert_close(model(**example).logits, expected, atol=3e-5, rtol=2e-4)


def test_what_transformers_saves_opens(tmp_path, make_model, make_oracle, byte_config):
    """Few layers beside the default global indexes, as `GotOcr2Config` of transformers writes them."""
    from dataclasses import replace

    vision = replace(byte_config.vision_config, global_attn_indexes=(2, 5, 8, 11))
    model = make_model(replace(byte_config, vision_config=vision))
    make_oracle(model).save_pretrained(tmp_path)
    opened = GotOcr2ForConditionalGeneration.from_pretrained(tmp_path)
    assert opened.config.vision_config.global_attn_indexes == (2, 5, 8, 11)
    for name, value in model.state_dict().items():
        assert torch.equal(value, opened.state_dict()[name]), name
