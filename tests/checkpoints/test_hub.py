"""The hub without a network: a cache folder as huggingface_hub lays it out, and watched downloads."""

from __future__ import annotations

import fnmatch
import shutil
from pathlib import Path
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import constants, errors

from got_ocr2 import hub
from got_ocr2.checkpoints import resolve
from got_ocr2.errors import CheckpointError, InvalidOptionError
from got_ocr2.modeling import load_model

REPO = "stepfun-ai/GOT-OCR-2.0-hf"
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path: Path, byte_folder: Path) -> Path:
    """A hub cache that holds `byte_folder` as the branch "main" of `REPO`."""
    root = tmp_path / "hub"
    repo = root / f"models--{REPO.replace('/', '--')}"
    shutil.copytree(byte_folder, repo / "snapshots" / COMMIT)
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(COMMIT)
    return root


# --- local folders ----------------------------------------------------------------------------------------


def test_a_folder_is_itself(tmp_path, monkeypatch):
    assert resolve(tmp_path) == tmp_path
    assert resolve(str(tmp_path)) == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "models").mkdir()
    assert resolve("~/models") == tmp_path / "models"


def test_a_folder_wins_over_a_repository_of_its_name(tmp_path, monkeypatch):
    (tmp_path / REPO).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    assert resolve(REPO) == Path(REPO)


def test_a_revision_of_a_folder_is_refused(tmp_path):
    with pytest.raises(InvalidOptionError, match="'main' means nothing for the local folder"):
        resolve(tmp_path, revision="main")


def test_a_file_is_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"model\.safetensors is a file"):
        resolve(path)


@pytest.mark.parametrize("name", ["no-such-folder", "./a/b", "/a/b", "a/b/c", "../a", "", "a b/c", "C:\\m"])
def test_what_is_no_repository_name_is_a_missing_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="neither an existing folder nor a hub repository"):
        resolve(name)


# --- the cache, offline -----------------------------------------------------------------------------------


@pytest.mark.parametrize("local_files_only", [True, False])
def test_a_cached_copy_is_used_offline(local_files_only, cache):
    """False works too, because the tests run with HF_HUB_OFFLINE=1."""
    assert constants.HF_HUB_OFFLINE
    folder = resolve(REPO, cache_dir=cache, local_files_only=local_files_only)
    assert folder.name == COMMIT
    model = load_model(REPO, cache_dir=cache, local_files_only=local_files_only)
    assert model.generation_defaults.eos_token_id == (302,)


def test_a_cached_commit_is_found_by_its_name(cache):
    assert resolve(REPO, cache_dir=cache, revision=COMMIT, local_files_only=True).name == COMMIT


@pytest.mark.parametrize("local_files_only", [True, False])
def test_without_a_copy_one_sentence_says_so(local_files_only, tmp_path):
    with pytest.raises(CheckpointError) as error:
        resolve(REPO, cache_dir=tmp_path, local_files_only=local_files_only)
    message = str(error.value)
    assert message.startswith(f"{REPO} is not, or not wholly, in the cache")
    assert "offline" in message
    assert "\n" not in message


def test_another_revision_than_the_cached_one_is_named(cache):
    with pytest.raises(CheckpointError, match="at revision 'v2' is not, or not wholly, in the cache"):
        resolve(REPO, cache_dir=cache, revision="v2", local_files_only=True)


def test_the_cache_is_the_hubs_own_unless_told_otherwise(cache, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))  # what HF_HOME and HF_HUB_CACHE set
    assert resolve(REPO).name == COMMIT


# --- what is asked of huggingface_hub ---------------------------------------------------------------------


@pytest.fixture
def asked(monkeypatch, tmp_path) -> SimpleNamespace:
    """Records the one download that a test makes."""
    seen = SimpleNamespace(name=None, options={})

    def download(name: str, **options: object) -> str:
        seen.name, seen.options = name, options
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return seen


def test_options_reach_the_hub(asked, tmp_path):
    folder = resolve(REPO, revision="v1", token="hf_x", cache_dir=tmp_path, local_files_only=True)
    assert folder == tmp_path
    assert asked.name == REPO
    patterns = asked.options.pop("allow_patterns")
    assert "*.safetensors" in patterns
    assert asked.options == {
        "revision": "v1",
        "token": "hf_x",
        "cache_dir": str(tmp_path),
        "local_files_only": True,
    }


ORIGINAL_REPO = ["config.json", "model.safetensors", "qwen.tiktoken", "tokenizer_config.json"]
NEVER = [
    "pytorch_model.bin", "model.pt", "optimizer.pth", "x.ckpt", "scaler.pkl", "modeling_GOT.py", "README.md",
    "tokenization_qwen.py", "assets/page.jpg", "model.gguf", "tf_model.h5", "flax_model.msgpack",
]  # fmt: skip


@pytest.mark.parametrize("weights", [True, False])
def test_neither_code_nor_a_pickle_is_fetched(weights, asked):
    resolve(REPO, weights=weights)
    patterns = asked.options["allow_patterns"]

    def fetched(names: list[str]) -> list[str]:
        return [n for n in names if any(fnmatch.fnmatch(n, p) for p in patterns)]

    assert fetched(NEVER) == []
    expected = [n for n in ORIGINAL_REPO if weights or n != "model.safetensors"]
    assert fetched(ORIGINAL_REPO) == expected


def _http_error(kind: type[Exception]) -> Exception:
    """An error of the hub's as it would be raised, without a transport to make one."""
    error = kind.__new__(kind)
    Exception.__init__(error, "401 Client Error\nmore lines")
    return error


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        (_http_error(errors.RepositoryNotFoundError), f"The hub has no repository {REPO}, or it is private"),
        (_http_error(errors.GatedRepoError), "asks for its terms to be accepted"),
        (_http_error(errors.RevisionNotFoundError), "has no revision 'v1'"),
        (errors.LocalEntryNotFoundError("gone"), "the hub is out of reach"),
        (ConnectionError("no route\nto host"), r"could not be fetched from the hub: no route$"),
        (RuntimeError(), r"could not be fetched from the hub: RuntimeError$"),
    ],
)
def test_every_failure_is_one_sentence(raised, message, monkeypatch):
    def download(*_: object, **__: object) -> str:
        raise raised

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(CheckpointError, match=message) as error:
        resolve(REPO, revision="v1")
    assert "\n" not in str(error.value)
    assert error.value.__cause__ is raised


def test_the_patterns_name_what_this_package_writes(byte_folder):
    patterns = [*hub.PROCESSOR_FILES, *hub.WEIGHT_FILES]
    for path in byte_folder.iterdir():
        assert any(fnmatch.fnmatch(path.name, pattern) for pattern in patterns), path.name
