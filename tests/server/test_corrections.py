"""Mended lines are kept with their pictures, as training data that fine-tuning opens."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr2.errors import FileAccessError, InputError, InvalidOptionError
from got_ocr2.layout import TextLine, find_lines, line_pieces
from got_ocr2.training.data.examples import read_examples

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from fastapi.testclient import TestClient

from fake_ocr import fake_ocr
from got_ocr2.server.app import create_app
from got_ocr2.server.auth import Keys, hash_of
from got_ocr2.server.settings import Settings
from got_ocr2.server.stores.correction_store import CorrectionStore, store_at

LONG = "sphinx of black quartz judge my vow while jumping zebras quickly pack five dozen liquor jugs " * 2


def page() -> Image.Image:
    """Three lines; the second is longer than a reader of lines takes in one piece."""
    font = ImageFont.load_default(22)
    image = Image.new("RGB", (2300, 200), "white")
    for row, text in enumerate(("Sphinx of black quartz", LONG.strip(), "judge my vow")):
        ImageDraw.Draw(image).text((40, 30 + 50 * row), text, "black", font)
    return image


@cache
def lines() -> tuple[TextLine, ...]:
    return find_lines(page()).lines


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def store(tmp_path: Path) -> CorrectionStore:
    return CorrectionStore(tmp_path / "kept")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = create_app(fake_ocr(threaded=True, reads="lines"), Settings(data=tmp_path))
    with TestClient(app, base_url="http://localhost") as client:
        yield client


def kept(store: CorrectionStore, number: int, text: str):
    line = lines()[number]
    return store.add(page(), line.box, line.angle, text, source="a.png", page=2)


def test_a_mended_line_is_training_data(store: CorrectionStore):
    one = kept(store, 0, "  Sphinx of  black quartz ")
    assert (one.text, one.source, one.page, one.pieces) == ("Sphinx of black quartz", "a.png", 2, 1)
    (example,) = read_examples(store.folder)
    assert example.text == "Sphinx of black quartz"
    sample = example.sample()
    (cut,) = line_pieces(page(), lines()[0])
    assert sample.images[0].size == pytest.approx(cut.image.size, abs=1)
    assert store.all() == [one]


def test_a_long_line_becomes_the_pieces_that_the_reader_is_given(store: CorrectionStore):
    one = kept(store, 1, LONG)
    examples = read_examples(store.folder)
    assert one.pieces == len(examples) == len(line_pieces(page(), lines()[1])) > 2
    assert " ".join(example.text for example in examples) == LONG.strip()


def test_the_same_line_is_kept_once(store: CorrectionStore):
    kept(store, 1, LONG)
    kept(store, 0, "Sphinx of black quarts")
    again = kept(store, 1, "one")  # too few words for its pieces: it stays whole
    assert [one.text for one in store.all()] == ["Sphinx of black quarts", "one"]
    assert again.pieces == 1
    assert len(list((store.folder / "images").iterdir())) == len(read_examples(store.folder)) == 2


def test_a_removed_line_leaves_nothing(store: CorrectionStore):
    one, two = kept(store, 0, "Sphinx"), kept(store, 2, "judge my vow")
    store.remove(one.id)
    assert store.all() == [two]
    assert [file.stem for file in (store.folder / "images").iterdir()] == [f"{two.id}-0"]
    with pytest.raises(KeyError):
        store.remove(one.id)
    with pytest.raises(KeyError):
        store.picture(one.id)


def test_the_archive_is_a_data_set(store: CorrectionStore, tmp_path: Path):
    kept(store, 1, LONG)
    kept(store, 0, "Größe „schief“")
    out = io.BytesIO()
    store.write_zip(out)
    zipfile.ZipFile(out).extractall(tmp_path / "unpacked")
    examples = read_examples(tmp_path / "unpacked" / "corrections")
    assert examples[-1].text == "Größe „schief“"
    assert (
        examples[-1].sample().images[0].tobytes()
        == read_examples(store.folder)[-1].sample().images[0].tobytes()
    )


def test_what_cannot_be_kept_is_refused(store: CorrectionStore, tmp_path: Path):
    with pytest.raises(InputError, match="1 to 2000 characters, got 0"):
        kept(store, 0, " \n ")
    with pytest.raises(InputError, match="1 to 2000 characters, got 2001"):
        kept(store, 0, "a" * 2001)
    with pytest.raises(InvalidOptionError, match="does not lie on the page"):
        store.add(page(), (0, 0, 9000, 20), 0.0, "a", source="a.png", page=1)
    assert not store.folder.exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(FileAccessError, match=r"The mended line cannot be kept: .*\.$"):
        kept(CorrectionStore(tmp_path / "file"), 0, "a")


def test_a_folder_has_one_store(tmp_path: Path):
    assert store_at(tmp_path) is store_at(tmp_path)


# --- over HTTP ---


def upload(client: TestClient, **headers: str) -> str:
    answer = client.post("/v1/files", files={"file": ("scan.png", png(page()))}, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


def correction(file_id: str, number: int = 0, **other: object) -> dict[str, object]:
    line = lines()[number]
    return {
        "file_id": file_id,
        "page": 1,
        "box": list(line.box),
        "angle": line.angle,
        "text": "Sphinx",
        **other,
    }


def test_corrections_over_http(client: TestClient, tmp_path: Path):
    body = correction(upload(client))
    one = client.post("/corrections", json=body).json()
    assert one["text"] == "Sphinx"
    assert one["source"] == "scan.png"
    assert one["box"] == pytest.approx(body["box"])
    assert client.get("/corrections").json() == {"corrections": [one]}
    picture = client.get(f"/corrections/{one['id']}/pictures/0")
    assert picture.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(picture.content)).height > 15
    archive = client.get("/corrections.zip")
    assert "corrections.zip" in archive.headers["content-disposition"]
    zipfile.ZipFile(io.BytesIO(archive.content)).extractall(tmp_path / "unpacked")
    assert [one.text for one in read_examples(tmp_path / "unpacked" / "corrections")] == ["Sphinx"]
    assert client.delete(f"/corrections/{one['id']}").json() == {"id": one["id"], "deleted": True}
    assert client.get("/corrections").json() == {"corrections": []}


@pytest.mark.parametrize(
    ("changed", "status", "said"),
    [
        ({"text": ""}, 400, "text: String should have at least 1 character"),
        ({"text": " "}, 422, "1 to 2000 characters"),
        ({"page": 7}, 404, "scan.png has 1 pages; there is no page 7"),
        ({"box": [1, 2, 3]}, 400, "box"),
        ({"box": [5, 5, 9000, 20]}, 400, "does not lie on the page"),
        ({"angle": 44}, 400, "at up to 35 degrees"),
        ({"file_id": "file-0"}, 404, "There is no file"),
        ({"more": 1}, 400, "more"),
    ],
)
def test_bad_corrections_get_one_sentence(client: TestClient, changed: dict, status: int, said: str):
    answer = client.post("/corrections", json=correction(upload(client)) | changed)
    assert answer.status_code == status
    assert re.search(said, answer.json()["error"]["message"])
    assert client.get("/corrections").json() == {"corrections": []}


def test_what_is_not_there_is_not_found(client: TestClient):
    for method, path in (("GET", "/corrections/{}/pictures/0"), ("DELETE", "/corrections/{}")):
        assert client.request(method, path.format("0" * 16)).status_code == 404
        assert client.request(method, path.format("..%2f..")).status_code in (400, 404)


def test_keys_do_not_see_each_others_lines(tmp_path: Path):
    keys = Keys({"ann": hash_of("a" * 20), "bob": hash_of("b" * 20)})
    app = create_app(fake_ocr(threaded=True, reads="lines"), Settings(data=tmp_path), keys)
    ann, bob = ({"Authorization": f"Bearer {letter * 20}"} for letter in "ab")
    with TestClient(app, base_url="http://localhost") as client:
        one = client.post("/corrections", json=correction(upload(client, **ann)), headers=ann).json()
        assert client.get("/corrections", headers=bob).json() == {"corrections": []}
        assert client.delete(f"/corrections/{one['id']}", headers=bob).status_code == 404
        assert client.get("/corrections").status_code == 401
        assert len(client.get("/corrections", headers=ann).json()["corrections"]) == 1
    row = json.loads((tmp_path / "corrections" / "of-ann" / "data.jsonl").read_text("utf-8"))
    assert row["line"] == one["id"]


def test_frames_are_found_by_colour(client: TestClient):
    image = page()
    ImageDraw.Draw(image).rectangle((30, 25, 400, 65), outline=(200, 30, 30), width=3)
    ImageDraw.Draw(image).rectangle((30, 120, 400, 170), outline=(20, 60, 220), width=3)
    id = client.post("/v1/files", files={"file": ("a.png", png(image))}).json()["id"]
    frames = client.get(f"/files/{id}/pages/1/frames").json()["frames"]
    assert [frame["color"] for frame in frames] == ["red", "blue"]
    assert frames[0]["box"] == pytest.approx([33, 28, 398, 63], abs=2)
    assert client.get(f"/files/{id}/pages/2/frames").status_code == 404
    plain = upload(client)
    assert client.get(f"/files/{plain}/pages/1/frames").json() == {"frames": []}
