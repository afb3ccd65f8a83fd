"""What people name -> sources, and sources -> contents. No process, no network."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from got_ocr2.cluster.inputs import Source, content_of, list_sources
from got_ocr2.cluster.inputs.opening import check_unchanged, digest_of
from got_ocr2.documents import Limits
from got_ocr2.errors import FileAccessError, InputError, InvalidOptionError

pa = pytest.importorskip("pyarrow")
pytest.importorskip("fsspec")

LIMITS = Limits()


def names(*inputs: object, **options: bool) -> list[str]:
    return [source.name for source in list_sources(map(str, inputs), **options)]


def content(source: Source) -> bytes:
    found = content_of(source, LIMITS)
    return found if isinstance(found, bytes) else Path(found).read_bytes()


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A folder of "pictures": page 2.png, page 10.png, notes.txt, more/x.pdf."""
    folder = tmp_path / "scans"
    (folder / "more").mkdir(parents=True)
    for name in ("page 10.png", "page 2.png", "notes.text", "more/x.pdf"):
        (folder / name).write_bytes(name.encode())
    return folder


def tar_of(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name.replace("_", "."))
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def test_folders_and_patterns_come_in_the_order_of_pages(scans):
    assert names(scans) == [f"{scans}/page 2.png", f"{scans}/page 10.png"]
    assert names(scans, recursive=True) == [
        f"{scans}/more/x.pdf",
        f"{scans}/page 2.png",
        f"{scans}/page 10.png",
    ]
    assert names(scans / "*.png") == names(scans)
    assert names(scans / "notes.text", scans) == [f"{scans}/notes.text", *names(scans)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("l.txt", "# three of them\nscans/page 2.png\n\nhttps://example.org/a.png\nscans/gone.png\n"),
        ("l.csv", 'id,path\n1,scans/page 2.png\n2,"https://example.org/a.png"\n3,scans/gone.png\n'),
        (
            "l.jsonl",
            '{"file": "scans/page 2.png"}\n"https://example.org/a.png"\n{"file": "scans/gone.png"}\n',
        ),
    ],
)
def test_lists_name_documents_beside_them(scans, name, text):
    path = scans.parent / name
    path.write_text(text)
    found = [*list_sources([str(path)])]
    assert [source.name for source in found] == [
        f"{scans}/page 2.png",
        "https://example.org/a.png",
        f"{scans}/gone.png",
    ]
    assert [source.kind for source in found] == ["file", "address", "file"]
    assert [source.stamp is None for source in found] == [False, True, True]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("l.csv", b"a,b\n1,2\n", "has no column of documents: it may be called path, .*, got a, b"),
        ("l.csv", b"path\n\nx\n", "x.*"),
        ("l.jsonl", b"{]\n", "is no JSON in line 1"),
        ("l.jsonl", b'\n{"path": 3}\n', "names no path in line 2, got 3"),
        ("l.txt", b"\xff\xfe", "is not UTF-8 text"),
        ("l.parquet", b"PAR1", "cannot be read"),
        ("l.tar", b"no tar" * 200, "is no tar file without compression"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path, name, data, message):
    path = tmp_path / name
    path.write_bytes(data)
    if message == "x.*":
        assert names(path) == [str(tmp_path / "x")]  # an empty line is no row
        return
    with pytest.raises((InputError, FileAccessError), match=message):
        names(path)


def test_parquet_with_paths(scans):
    from pyarrow import parquet

    path = scans.parent / "l.parquet"
    parquet.write_table(pa.table({"url": ["scans/page 2.png", "s3://bucket/a.pdf"]}), path)
    assert [(source.name, source.kind) for source in list_sources([str(path)])] == [
        (f"{scans}/page 2.png", "file"),
        ("s3://bucket/a.pdf", "remote"),
    ]


@pytest.mark.parametrize("struct", [False, True])
def test_parquet_with_bytes(tmp_path, struct):
    from pyarrow import parquet

    path = tmp_path / "l.parquet"
    data = [b"one", b"two", b"three"]
    column = [{"bytes": one, "path": None} for one in data] if struct else data
    table = pa.table({"name": ["a", None, "c"], ("image" if struct else "bytes"): column})
    parquet.write_table(table, path, row_group_size=2)
    found = [*list_sources([str(path)])]
    assert [source.name for source in found] == [f"{path}#a", f"{path}#0-1", f"{path}#c"]
    assert [content(source) for source in found] == data
    again = [Source.from_list(json.loads(json.dumps(source.to_list()))) for source in found]
    assert again == found
    assert all(map(Source.same_place, again, found))


def test_tar_files(tmp_path):
    path = tar_of(tmp_path / "a.tar", a_png=b"one", a_json=b"{}", b_pdf=b"two")
    found = [*list_sources([str(tmp_path / "*.tar")])]
    assert [source.name for source in found] == [f"{path}#a.png", f"{path}#b.pdf"]
    assert [content(source) for source in found] == [b"one", b"two"]
    path.write_bytes(path.read_bytes()[:1100])
    with pytest.raises(InputError, match="ends before byte"):
        content(found[1])


def test_addresses_of_fsspec(scans):
    tar_of(scans / "b.tar", x_png=b"inside")
    found = [*list_sources([f"file://{scans}"])]
    assert [source.name for source in found] == [
        f"file://{scans}/b.tar#x.png",
        f"file://{scans}/page 10.png",
        f"file://{scans}/page 2.png",
    ]
    assert [content(source) for source in found] == [b"inside", b"page 10.png", b"page 2.png"]
    assert all(source.stamp for source in found)
    assert names(f"file://{scans}/*2.png") == [f"file://{scans}/page 2.png"]
    assert names(f"file://{scans}/more/x.pdf") == [f"file://{scans}/more/x.pdf"]


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("file:///nowhere/at/all.png", FileAccessError, "does not exist"),
        ("nonsense://bucket/a.png", InvalidOptionError, "cannot be opened"),
        ("/nowhere/at/all.png", InputError, "does not exist"),
        ("/nowhere/at/*.png", FileAccessError, "No file matches"),
        ("-", InputError, "A run reads files, folders, lists and addresses, got '-'"),
    ],
)
def test_what_is_not_there_is_refused(path, error, message):
    with pytest.raises(error, match=message):
        names(path)


def test_a_folder_of_an_address_without_documents_is_refused(tmp_path):
    (tmp_path / "a.text").touch()
    with pytest.raises(InputError, match="holds no picture, no PDF and no tar file"):
        names(f"file://{tmp_path}")


def test_changes_are_seen_by_content(scans):
    path = scans / "page 2.png"
    (source,) = list_sources([str(path)])
    digest = digest_of(str(path))
    assert digest == digest_of(b"page 2.png")
    path.touch()  # another time, the same content
    check_unchanged(source, str(path), digest)
    path.write_bytes(b"page 3.png")
    with pytest.raises(InputError, match="has changed since the run looked at it; go on with --resume"):
        check_unchanged(source, str(path), digest)
    with pytest.raises(InputError, match="has changed"):
        check_unchanged(source, b"other", digest)
    path.unlink()
    with pytest.raises(FileAccessError, match="cannot be read"):
        check_unchanged(source, str(path), digest)


def test_limits_are_kept(tmp_path):
    path = tar_of(tmp_path / "a.tar", a_png=b"12345", b_png=b"")
    large, empty = list_sources([str(path)])
    with pytest.raises(InputError, match="more than the limit of 4"):
        content_of(large, Limits(max_bytes=4))
    with pytest.raises(InputError, match=r"is empty \(0 bytes\)"):
        content_of(empty, LIMITS)


@pytest.mark.parametrize("data", [None, [], ["a", "b", "c", [], "", 1, "x"], {"name": "a"}])
def test_what_is_no_record_is_refused(data):
    with pytest.raises(InputError, match="This is no record of a document"):
        Source.from_list(data)
