"""`verify`: right numbers pass, wrong ones are found, and what cannot be compared is said."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from got_ocr2 import kernels
from got_ocr2.benchmarking import backends, oracle
from got_ocr2.cli import main
from got_ocr2.config import GotOcr2Config
from got_ocr2.errors import InvalidOptionError
from got_ocr2.modeling.backends.torch_runner import TorchRunner
from got_ocr2.verification import kernel_checks, verify
from got_ocr2.verification.layers import capturing, difference, layer_names
from got_ocr2.verification.sample_pages import sample_pages
from got_ocr2.verification.verify import Check, VerifyOptions

native = pytest.mark.skipif(not kernels.available(), reason="the native kernels were not built")
PLAIN = VerifyOptions(backends=(), transformers=False, tokens=6)


@pytest.fixture
def wrong(monkeypatch):
    """A back end "exact" whose scores are off by a little, and whose best token is another one."""

    class Wrong(TorchRunner):
        def forward(self, ids, rows):
            scores = super().forward(ids, rows)
            scores.logits[:, 3] += 100
            return scores

    def make(model, name, *, threads):
        return TorchRunner(model) if name == "torch" else Wrong(model)

    monkeypatch.setattr(verify, "make_runner", make)
    monkeypatch.setattr(verify, "why_not", lambda _: None)
    monkeypatch.setattr(verify, "_kernels", lambda *_: ())


# --- parts ------------------------------------------------------------------------------------------------


def test_difference_is_relative_and_never_hides_a_nan():
    a, b = torch.tensor([1.0, -4.0]), torch.tensor([1.0, -5.0])
    assert difference(a, b) == pytest.approx(0.2)
    assert difference(a, a) == 0
    assert difference(torch.zeros(2), torch.zeros(2)) == 0
    assert difference(torch.tensor([math.nan, 1]), b) == math.inf
    assert difference(a, torch.tensor([math.inf, 1])) == math.inf


def test_every_layer_is_captured(tiny_model, tiny_config):
    names = layer_names(tiny_config)
    assert len(names) == 4 + 1 + 1 + 3 + 1 + 1
    with capturing(tiny_model, names) as found:
        out = tiny_model(inputs_embeds=torch.randn(1, 5, 32))
    assert "vision neck" not in found
    torch.testing.assert_close(found["logits"], out.logits)
    tiny_model(inputs_embeds=torch.randn(1, 2, 32))
    assert found["logits"].shape == out.logits.shape  # nothing is kept afterwards


@pytest.mark.parametrize("sides", [(128, 512), (1024, 1024), (48, 64)])
def test_sample_pages_are_full_of_print(sides):
    config = GotOcr2Config()
    pages = sample_pages(replace(config, vision_config=replace(config.vision_config, image_size=sides)))
    assert len(pages) == 3
    for page in pages:
        assert page.size == sides[::-1]
        assert 0.02 < (np.asarray(page.convert("L")) < 128).mean() < 0.5
    assert pages[0].tobytes() != pages[1].tobytes()


@pytest.mark.parametrize(
    ("kind", "value", "limit", "passed"),
    [
        ("difference", 0.1, 0.1, True),
        ("difference", 0.2, 0.1, False),
        ("difference", math.nan, 0.1, False),
        ("share", 0.9, 0.9, True),
        ("share", 0.8, 0.9, False),
        ("difference", 9.0, None, True),
    ],
)
def test_limits(kind, value, limit, passed):
    assert Check("group", "name", value, limit, kind).passed is passed


@native
def test_kernels_equal_their_twins_on_the_models_matrices(tiny_model):
    found = dict(kernel_checks.linear_differences(tiny_model))
    assert found.keys() == {"fp32", "int16", "int8", "int4"}  # these weights are no bf16 numbers
    assert max(found.values()) < 1e-5


def test_there_is_no_other_back_end(tiny_model):
    with pytest.raises(InvalidOptionError, match="got 'int3'"):
        backends.make_runner(tiny_model, "int3", threads=1)
    assert backends.why_not("torch") is None


# --- whole runs -------------------------------------------------------------------------------------------


def test_plain_torch_equals_transformers(byte_folder):
    pytest.importorskip("transformers")
    found = verify.verify(byte_folder, replace(PLAIN, transformers=True))
    assert found.passed
    assert found.left_out == ()
    assert [check.name for check in found.checks][:5] == [
        *(f"vision layer {i}" for i in range(4)),
        "vision neck",
    ]
    assert all(check.value < 1e-5 for check in found.checks if check.kind == "difference")
    assert found.checks[-1].value == 1.0


def test_the_decoder_alone_where_pictures_are_not_square(tiny_wide_model, byte_folder):
    pytest.importorskip("transformers")
    page = verify.PageInput(torch.arange(40)[None] % 97, torch.randn(1, 3, 56, 104))
    page.ids[0, 5:13] = 91
    page.ids[(page.ids == 91) & (torch.arange(40) > 13)] = 90
    reading = verify.read(TorchRunner(tiny_wide_model), page, 4, verify.GenerationOptions())
    said: list[str] = []
    checks = [
        *verify._against_oracle(
            tiny_wide_model,
            byte_folder,
            page,
            reading,
            replace(PLAIN, transformers=True),
            said,
            lambda _: None,
        )
    ]
    assert checks[0].name == "decoder layer 0"
    assert all(check.passed for check in checks)
    assert "104x56 pixels): its decoder alone was compared" in said[0]


def test_transformers_that_is_missing_is_said(byte_folder, monkeypatch, capsys):
    monkeypatch.setattr(oracle, "installed", lambda: None)
    arguments = [str(byte_folder), "--variants", "", "--tokens", "3", "--threads", "1", "-q"]
    assert main(["verify", *arguments]) == 0
    assert "Transformers is not installed: nothing was compared with it." in capsys.readouterr().err
    monkeypatch.setattr(oracle, "NAME", "transformers_of_nobody")
    assert main(["verify", *arguments, "--transformers"]) == 3


def test_a_wrong_back_end_is_found(wrong, byte_folder, capsys):
    arguments = [
        str(byte_folder),
        "--variants",
        "exact",
        "--no-transformers",
        "--tokens",
        "5",
        "--threads",
        "1",
    ]
    assert main(["verify", *arguments, "--json"]) == 15
    captured = capsys.readouterr()
    data = json.loads(captured.out)
    assert not data["passed"]
    wrong_ones = [check["name"] for check in data["checks"] if not check["passed"]]
    assert wrong_ones[0] == "scores of every token"
    assert "features of pictures" not in wrong_ones
    assert f"{len(wrong_ones)} of {len(data['checks'])} checks exceed their limit." in captured.err


def test_quantised_weights_have_the_limits_that_are_asked_for(wrong, byte_folder, capsys, tmp_path):
    Image.new("RGB", (60, 40), "gray").save(tmp_path / "page.png")
    arguments = [
        str(byte_folder),
        "--variants",
        "int8",
        "--no-transformers",
        "--tokens",
        "4",
        "--threads",
        "1",
    ]
    more = ["--page", str(tmp_path / "page.png"), "-q"]
    assert main(["verify", *arguments, *more]) == 0
    assert "\t-\tok\n" in capsys.readouterr().out
    assert main(["verify", *arguments, *more, "--agreement", "0.5"]) == 15
    assert "best token kept, the tokens before it given\t0.0000\t>= 0.5\tEXCEEDED" in capsys.readouterr().out


@native
def test_native_back_ends(byte_folder):
    pytest.importorskip("got_ocr2.modeling.backends.native.runner")
    found = verify.verify(byte_folder, replace(PLAIN, backends=backends.BACKENDS))
    assert found.passed
    assert {check.group.partition(" ")[0] for check in found.checks} == {"linear", *backends.BACKENDS}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"backends": ("int3",)}, "A back end is one of"),
        ({"tokens": 0}, "tokens must be at least 1, got 0"),
        ({"tolerance": 0.0}, "tolerance must be above 0"),
        ({"agreement": 2.0}, "agreement must be from 0 to 1"),
        ({"max_cer": -1.0}, "max_cer must be at least 0"),
    ],
)
def test_impossible_options(bad, message):
    with pytest.raises(InvalidOptionError, match=message):
        VerifyOptions(**bad)
