"""WordNet 3.0 for METEOR, without NLTK's downloader.

NLTK's own copy is used when it is installed (`python -m nltk.downloader wordnet`). Otherwise the files that
Debian and Ubuntu package as `wordnet-base` do: the same release, short of two files that METEOR never reads.
"""

from __future__ import annotations

import functools
import io
import os
import warnings
from pathlib import Path
from typing import Any

from ...errors import MissingDependencyError
from ...extras import need

# Where other systems keep the dictionary files goes into WNSEARCHDIR, WordNet's own variable.
_FOLDERS = ("/usr/share/wordnet", "/usr/local/WordNet-3.0/dict", "/opt/homebrew/opt/wordnet/dict")
_LEXICOGRAPHER_FILES = 45


@functools.lru_cache(maxsize=1)
def wordnet() -> Any:
    """A WordNet reader with `synsets(word)`, read once per process (about 2 s).

    Raises:
        MissingDependencyError: nltk is missing, or neither NLTK's data nor the dictionary files are there.
    """
    nltk = need("nltk", "METEOR", extra="eval")
    if _has(nltk, "corpora/wordnet") or _has(nltk, "corpora/wordnet.zip"):
        return need("nltk.corpus", "METEOR", extra="eval").wordnet
    folder = _folder()
    # NLTK opens files only under the folders of its search path.
    nltk.data.path.append(str(folder))
    return _from_files(folder)


def _has(nltk: Any, resource: str) -> bool:
    try:
        nltk.data.find(resource)
    except LookupError:
        return False
    return True


def _folder() -> Path:
    for name in (os.environ.get("WNSEARCHDIR"), *_FOLDERS):
        if name and (Path(name) / "data.noun").is_file():
            return Path(name)
    raise MissingDependencyError(
        "METEOR needs the WordNet 3.0 dictionary files; install Debian's package wordnet-base, or run "
        "`python -m nltk.downloader wordnet`, or set WNSEARCHDIR to the folder that holds data.noun."
    )


def _from_files(folder: Path) -> Any:
    reader = need("nltk.corpus.reader.wordnet", "METEOR", extra="eval").WordNetCorpusReader

    class DictionaryFiles(reader):
        """NLTK's reader over a plain WordNet `dict` folder."""

        def open(self, file: str) -> Any:
            if file == "lexnames" and not (folder / file).is_file():
                # Names of the lexicographers' files: NLTK reads the table at start, METEOR uses none of them.
                return io.StringIO("".join(f"{i:02d}\tunnamed\t1\n" for i in range(_LEXICOGRAPHER_FILES)))
            return super().open(file)

        def map_wn(self, version: str = "wordnet") -> None:
            """No map to the numbers of NLTK's own copy: these files are the same release."""

    with warnings.catch_warnings():
        # It says that other languages than English are missing.
        warnings.simplefilter("ignore", UserWarning)
        return DictionaryFiles(str(folder), None)
