"""From a repository on the Hugging Face hub, or a folder, to a folder.

Only the files that a checkpoint needs are fetched: never code, never a pickle.
"""

from __future__ import annotations

import re
from os import PathLike, fspath
from pathlib import Path

from .errors import CheckpointError, InvalidOptionError

PROCESSOR_FILES = (
    "config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "*.tiktoken",
)
WEIGHT_FILES = ("generation_config.json", "*.safetensors", "*.safetensors.index.json")

# "owner/name", as the hub spells it.
_REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def resolve(
    repo_or_folder: str | PathLike[str],
    *,
    revision: str | None = None,
    token: str | bool | None = None,
    cache_dir: str | PathLike[str] | None = None,
    local_files_only: bool = False,
    weights: bool = True,
) -> Path:
    """The folder of a checkpoint, downloaded into the hub's cache if it is not there yet.

    An existing folder wins over a repository of the same name. `HF_HUB_OFFLINE`, `HF_HOME`, `HF_TOKEN` and
    the other variables of huggingface_hub mean what they always mean.

    Args:
        repo_or_folder: a local folder, or "owner/name" on the hub.
        revision: branch, tag or commit of the repository.
        token: access token; True for the stored one, None for what huggingface_hub finds.
        cache_dir: where downloads are kept, instead of huggingface_hub's place.
        local_files_only: use the cache and nothing else.
        weights: False fetches only what a processor needs.

    Raises:
        CheckpointError: no such folder or repository, no access, no such revision, or no connection and no
            copy in the cache.
        InvalidOptionError: a revision was given for a local folder.
    """
    name = fspath(repo_or_folder)
    path = Path(name).expanduser()
    if name and path.is_dir():
        if revision is not None:
            raise InvalidOptionError(f"revision {revision!r} means nothing for the local folder {path}.")
        return path
    if path.is_file():
        raise CheckpointError(f"{path} is a file; a checkpoint is the folder that holds config.json.")
    if not _REPOSITORY.fullmatch(name):
        raise CheckpointError(
            f"{name!r} is neither an existing folder nor a hub repository like 'owner/name'."
        )
    patterns = [*PROCESSOR_FILES, *(WEIGHT_FILES if weights else ())]
    return _download(name, patterns, revision, token, cache_dir, local_files_only)


def _download(
    name: str,
    patterns: list[str],
    revision: str | None,
    token: str | bool | None,
    cache_dir: str | PathLike[str] | None,
    local_files_only: bool,
) -> Path:
    import huggingface_hub  # late: it costs a quarter of a second that local folders need not pay
    from huggingface_hub import errors

    which = name if revision is None else f"{name} at revision {revision!r}"
    try:
        folder = huggingface_hub.snapshot_download(  # pyright: ignore[reportUnknownMemberType]
            name,
            revision=revision,
            token=token,
            cache_dir=None if cache_dir is None else str(cache_dir),
            local_files_only=local_files_only,
            allow_patterns=patterns,
        )
    except errors.GatedRepoError as e:
        raise CheckpointError(f"{name} asks for its terms to be accepted on the hub, and for a token.") from e
    except errors.RepositoryNotFoundError as e:
        raise CheckpointError(f"The hub has no repository {name}, or it is private and needs a token.") from e
    except errors.RevisionNotFoundError as e:
        raise CheckpointError(f"{name} has no revision {revision!r}.") from e
    except errors.LocalEntryNotFoundError as e:
        raise CheckpointError(
            f"{which} is not, or not wholly, in the cache, and the hub is out of reach (offline): connect "
            "once to download it, or give a local folder."
        ) from e
    except Exception as e:
        # The transport under huggingface_hub has changed three times, and each raises its own kinds.
        reason = str(e).strip().partition("\n")[0] or type(e).__name__
        raise CheckpointError(f"{which} could not be fetched from the hub: {reason}") from e
    return Path(folder)
