"""The back end for CUDA devices on one: `pytest -m gpu tests/modeling/test_cuda_gpu.py`.

fp32 is held to other implementations, recordings to plain calls, and the stream to never being waited for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from cuda_steps import both, compare, random_steps, row
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from got_ocr2.generation.engine.engine import Engine
from got_ocr2.generation.engine.requests import Request
from got_ocr2.generation.engine.runner import RowInput
from got_ocr2.generation.inputs import PromptBatch
from got_ocr2.generation.reference import generate_slowly
from got_ocr2.generation.rules.options import GenerationOptions
from got_ocr2.modeling.attention import attention_folded
from got_ocr2.modeling.backends.choice import choose_runner
from got_ocr2.modeling.backends.cuda.graphs import DirectCalls
from got_ocr2.modeling.backends.cuda.operations import TorchOperations
from got_ocr2.modeling.backends.cuda.runner import CudaRunner

DEVICE = "cuda"
pytestmark = [pytest.mark.gpu, pytest.mark.filterwarnings("ignore:TRITON_DEFAULT_FP_FUSION")]


@pytest.fixture(autouse=True)
def _full_fp32() -> Iterator[None]:
    """Convolutions in TF32, torch's default, would not be fp32."""
    with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield


@pytest.fixture
def model(make_model, tiny_config):
    return make_model(tiny_config).to(DEVICE)


@contextmanager
def nothing_waits() -> Iterator[None]:
    """An operation that waits for the device is an error."""
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def ids(rows: list[RowInput], seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 90, (sum(r.tokens for r in rows),), generator=generator).to(DEVICE)


# --- numbers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operations", [None, TorchOperations()], ids=["triton", "torch"])
@pytest.mark.parametrize("seed", range(4))
@torch.inference_mode()
def test_random_steps_give_the_scores_of_the_torch_runner(make_model, tiny_config, seed, operations):
    slow, fast = both(make_model(tiny_config, seed).to(DEVICE), 600, operations=operations)
    for step_ids, rows in random_steps(seed, tiny_config, 600, steps=40, device=DEVICE):
        compare(slow, fast, step_ids, rows)


@torch.inference_mode()
def test_recordings_do_what_plain_calls_do(model):
    recorded, called = CudaRunner(model), CudaRunner(model, graphs=lambda device: DirectCalls())
    rows = [row(40 * i, 40, 0, 11, 1) for i in range(6)]
    for runner in (recorded, called):
        runner.allocate(240)
        runner.forward(ids(rows), rows)
    for past in range(11, 30):
        rows = [replace(r, past=past, tokens=1 + (past + i) % 2, wanted=1) for i, r in enumerate(rows)]
        one, other = (runner.forward(ids(rows, past), rows) for runner in (recorded, called))
        assert torch.equal(one.logits, other.logits)
        assert torch.equal(one.best, other.best)


@torch.inference_mode()
def test_a_prompt_with_a_picture_gives_the_logits_of_transformers(make_model, make_oracle, tiny_config):
    model = make_model(tiny_config)
    oracle = make_oracle(model).to(DEVICE)
    runner = CudaRunner(model.to(DEVICE))
    runner.allocate(60)
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randn(1, 3, 96, 96, generator=generator)
    prompt = torch.randint(0, 90, (1, 21), generator=generator)
    prompt[:, 4:13] = tiny_config.image_token_index
    prompt = prompt.to(DEVICE)
    expected = oracle(input_ids=prompt, pixel_values=pixels.to(DEVICE)).logits[0]
    rows = [replace(row(3, 40, 0, 21), features=runner.encode(pixels)[0])]
    torch.testing.assert_close(runner.forward(prompt[0], rows).logits, expected, atol=1e-4, rtol=1e-4)
    # Then token by token, through recordings.
    following = ids([row(0, 40, 21, 8)])
    whole = torch.cat([prompt, following[None]], 1)
    expected = oracle(input_ids=whole, pixel_values=pixels.to(DEVICE)).logits[0, 21:]
    for n in range(8):
        got = runner.forward(following[n : n + 1], [row(3, 40, 21 + n, 1)]).logits[0]
        torch.testing.assert_close(got, expected[n], atol=1e-4, rtol=1e-4)


def test_the_engine_writes_the_ids_of_the_slow_loop(model, tiny_config):
    """Pages of many lengths that come and go, one token late."""
    runner = choose_runner(model)
    assert isinstance(runner, CudaRunner)
    options = GenerationOptions(eos_token_id=(3,))
    generator = torch.Generator().manual_seed(0)
    prompts = [torch.randint(0, 90, (4 + 3 * n,), generator=generator).tolist() for n in range(12)]
    with Engine(runner, positions=300, rows=5) as engine:
        handles = [
            engine.submit(Request(ids=prompt, max_new_tokens=10 + 2 * n, options=options))
            for n, prompt in enumerate(prompts)
        ]
        got = [list(handle.result().tokens) for handle in handles]
    for n, prompt in enumerate(prompts):
        batch = PromptBatch.check(tiny_config, torch.tensor([prompt], device=DEVICE))
        expected = generate_slowly(model, batch, options, 10 + 2 * n)
        assert got[n] == expected.sequences[0, len(prompt) :].tolist()


@torch.inference_mode()
def test_bf16_agrees_with_the_model_about_most_tokens(make_model, tiny_config):
    slow, fast = both(make_model(tiny_config).to(DEVICE, torch.bfloat16), 600)
    same = total = 0
    for step_ids, rows in random_steps(0, tiny_config, 600, steps=40, device=DEVICE):
        step_rows = [replace(r, features=None if r.features is None else r.features.bfloat16()) for r in rows]
        expected, got = slow.forward(step_ids, step_rows).logits, fast.forward(step_ids, step_rows).logits
        same += int((expected.argmax(-1) == got.argmax(-1)).sum())
        total += len(expected)
    assert same / total > 0.95


@pytest.mark.parametrize("grid_hw", [(64, 64), (14, 14)])
@torch.inference_mode()
def test_attention_of_the_published_encoder(grid_hw):
    """In bf16 both forms round; they must be equally far from fp32."""
    triton_form = pytest.importorskip("got_ocr2.modeling.backends.cuda.triton_operations")
    rows, columns = grid_hw
    generator = torch.Generator(DEVICE).manual_seed(0)
    shapes = ((2, rows * columns, 3, 12, 64), (2 * rows - 1, 64), (2 * columns - 1, 64))
    qkv, rel_h, rel_w = (torch.randn(shape, device=DEVICE, generator=generator) for shape in shapes)
    forms = TorchOperations(), triton_form.TritonOperations.on(torch.device(DEVICE))
    exact = [form.attend_grid(qkv, 0.1 * rel_h, 0.1 * rel_w, grid_hw) for form in forms]
    torch.testing.assert_close(exact[1], exact[0], atol=2e-5, rtol=1e-4)
    half = qkv.bfloat16(), (0.1 * rel_h).bfloat16(), (0.1 * rel_w).bfloat16()
    off = [float((form.attend_grid(*half, grid_hw).float() - exact[0]).abs().mean()) for form in forms]
    assert off[1] < 1.5 * off[0]


@torch.inference_mode()
def test_global_attention_of_the_published_encoder_is_flash_attention():
    q, k, v = (torch.randn(1, 12, 4096, 64, device=DEVICE, dtype=torch.bfloat16) for _ in range(3))
    rel_h, rel_w = (torch.randn(127, 64, device=DEVICE, dtype=torch.bfloat16) for _ in range(2))
    with sdpa_kernel(SDPBackend.FLASH_ATTENTION):  # an error where it cannot be had
        assert attention_folded(q, k, v, rel_h, rel_w, (64, 64)).isfinite().all()


# --- nothing waits, nothing grows -----------------------------------------------------------------------


@torch.inference_mode()
def test_steps_do_not_wait_for_the_device(model, tiny_config):
    runner = CudaRunner(model)
    runner.allocate(600)
    steps = list(random_steps(2, tiny_config, 600, steps=30, device=DEVICE))
    for step_ids, rows in steps:
        runner.forward(step_ids, rows)  # records every bucket, which does wait
    with nothing_waits():
        for step_ids, rows in steps:
            runner.forward(step_ids, rows)


@torch.inference_mode()
def test_pictures_are_sent_and_encoded_without_waiting(model):
    runner = CudaRunner(model)
    pixels = torch.randn(3, 3, 96, 96)
    runner.encode(pixels)
    with nothing_waits():
        runner.encode(pixels)


@torch.inference_mode()
def test_a_recorded_step_allocates_nothing(model):
    runner = CudaRunner(model)
    runner.allocate(200)
    rows = [row(50 * i, 50, 0, 4, 1) for i in range(4)]
    runner.forward(ids(rows), rows)
    on = [replace(r, past=4, tokens=1) for r in rows]
    step_ids = ids(on)
    runner.forward(step_ids, on)
    before = torch.cuda.memory_stats()["allocation.all.allocated"]
    for _ in range(20):
        runner.forward(step_ids, on)
    assert torch.cuda.memory_stats()["allocation.all.allocated"] == before


@torch.inference_mode()
def test_arenas_and_recordings_leave_no_memory_behind(model):
    runner = CudaRunner(model)
    used: list[int] = []
    for _ in range(4):
        runner.allocate(5000)
        rows = [row(0, 50, 0, 4, 1)]
        runner.forward(ids(rows), rows)
        on = [replace(rows[0], past=4, tokens=1)]
        runner.forward(ids(on), on)
        runner.release()
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        used.append(torch.cuda.memory_reserved())
    assert used[-1] <= used[1]
