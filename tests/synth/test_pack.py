"""A pack carries fonts and texts to a machine that has none, and there the same samples are drawn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from got_ocr2.cli import main
from got_ocr2.errors import FileAccessError, InputError, InvalidOptionError
from got_ocr2.synth.corpora.catalog import corpora
from got_ocr2.synth.pack import write_pack
from got_ocr2.synth.sources.packed import INDEX, LICENCES, packed_faces, packed_paragraphs, packed_texts

DRAW = """
import hashlib, sys
from pathlib import Path
from got_ocr2.synth.corpora import catalog
catalog._ORIGINS = catalog._ORIGINS[:2]  # a machine with two texts: more take long to pack and show nothing else
from got_ocr2.synth.fonts import all_faces
from got_ocr2.synth.pack import write_pack
from got_ocr2.synth.text import TextEngine
for split in ("train", "test"):
    for i in range(3):
        sample = TextEngine(split=split, layouts={"line": 0.5, "paragraph": 0.5}).sample(1, i)
        print(split, sample.text.encode(), hashlib.sha256(sample.image.tobytes()).hexdigest())
print(len({face.source for face in all_faces()}), len(all_faces()))
if len(sys.argv) > 1:
    write_pack(Path(sys.argv[1]))
"""


def drawn(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", DRAW, *arguments], env={**os.environ, **environment}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    return done.stdout


def test_a_packed_machine_draws_the_same_samples(tmp_path: Path) -> None:
    pack = tmp_path / "pack"
    here = drawn(str(pack), GOT_OCR2_FONT_SOURCES="bundled")
    assert here.count("\n") == 7
    there = drawn(
        GOT_OCR2_PACK=str(pack),
        GOT_OCR2_FONT_SOURCES="bundled",
        PATH="",
        GOT_OCR2_CACHE=str(tmp_path / "none"),
    )
    assert there == here
    listed = (pack / LICENCES).read_text("utf-8").splitlines()
    assert {line.split("\t")[0] for line in listed} == {
        path.relative_to(pack).as_posix() for path in pack.rglob("*/*") if path.is_file()
    }
    assert all(len(line.split("\t")) == 3 for line in listed)
    faces = packed_faces(pack)
    assert {face["source"] for face in faces} == {"bundled"}
    assert all(Path(face["path"]).is_file() for face in faces)
    assert len(packed_texts(pack)) == 2
    for corpus in corpora("en")[:2]:
        assert packed_texts(pack)[corpus.name] == corpus.source
        assert len(packed_paragraphs(pack, corpus.name)) > 1000
    with pytest.raises(FileAccessError, match="is not empty; give a new folder"):
        write_pack(pack)
    index = json.loads((pack / INDEX).read_text("utf-8"))
    other = tmp_path / "other"
    other.mkdir()
    (other / INDEX).write_text(json.dumps({**index, "format": 99}), "utf-8")
    with pytest.raises(InputError, match="is of format 99, not 1; pack again"):
        packed_faces(other)
    with pytest.raises(FileAccessError, match=r"GOT_OCR2_PACK names .*none, which holds no pack"):
        packed_faces(tmp_path / "none")


def test_what_has_no_room_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wordnet = corpora("en")[
        :1
    ]  # of one text the room is counted as of all, and packed in a tenth of the time
    monkeypatch.setattr("got_ocr2.synth.pack.corpora", lambda _languages: wordnet)
    with pytest.raises(
        InvalidOptionError, match=r"texts alone take [\d,]+ bytes; the limit is 1,000"
    ) as refused:
        write_pack(tmp_path / "a", limit=1000)
    assert not (tmp_path / "a").exists()
    size = int(str(refused.value).split()[4].replace(",", ""))
    assert main(["synth", "pack", "-o", str(tmp_path / "b"), "--limit", str(size // 2**20 + 2)]) == 0
    said = capsys.readouterr().err
    assert " font files left out." in said
    on_disk = sum(p.stat().st_size for p in (tmp_path / "b").rglob("*") if p.is_file())
    assert on_disk <= (size // 2**20 + 2) * 2**20
