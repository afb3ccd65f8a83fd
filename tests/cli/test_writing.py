"""Files are written whole, under names of their own, and nothing of anybody else's is lost."""

from __future__ import annotations

import errno
import json
import os
import secrets
import stat
import subprocess
import sys
import threading
import unicodedata
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from got_ocr2.cli.output import writing
from got_ocr2.cli.output.files import Found, check_apart, plan
from got_ocr2.cli.output.writing import (
    AlreadyThereError,
    is_own_partial,
    marked_partial,
    remove_partials,
    write_partial,
    write_whole,
)
from got_ocr2.errors import FileAccessError, InvalidOptionError

posix = pytest.mark.skipif(os.name == "nt", reason="POSIX files")
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


# --- one file -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("existing", ["refuse", "replace"])
def test_a_file_appears_with_its_folders_and_nothing_beside_it(tmp_path, existing):
    path = tmp_path / "a" / "b" / "x.txt"
    old = os.umask(0o027)
    try:
        write_whole(path, "text é\n", existing)
    finally:
        os.umask(old)
    assert contents(path.parent) == {"x.txt": "text é\n"}
    assert os.name == "nt" or stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_is_there_stays_unless_it_may_be_replaced(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("mine")
    with pytest.raises(
        AlreadyThereError, match=r"x\.txt has come into being meanwhile and was not overwritten"
    ):
        write_whole(path, "new", "refuse")
    assert contents(tmp_path) == {"x.txt": "mine"}
    write_whole(path, "new", "replace")
    assert contents(tmp_path) == {"x.txt": "new"}


@posix
@pytest.mark.parametrize("mode", [0o600, 0o644, 0o666, 0o755])
def test_a_replaced_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "x.txt"
    path.write_text("old")
    path.chmod(mode)
    write_whole(path, "new", "replace")
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", mode)


@posix
@pytest.mark.parametrize("linked", [False, True])
def test_a_write_protected_file_is_not_replaced(tmp_path, linked):
    path = tmp_path / "x.txt"
    path.write_text("mine")
    path.chmod(0o444)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(FileAccessError, match="write-protected"):
        write_whole(tmp_path / "link" if linked else path, "new", "replace")
    assert path.read_text() == "mine"


@posix
@pytest.mark.parametrize("there", [False, True], ids=["to nothing yet", "to a file"])
def test_a_link_stays_and_the_file_behind_it_is_written(tmp_path, there):
    (tmp_path / "real").mkdir()
    real, link, second = tmp_path / "real" / "x.txt", tmp_path / "link", tmp_path / "second"
    if there:
        real.write_text("old")
    link.symlink_to("real/x.txt")
    second.symlink_to(link)
    write_whole(second, "new", "replace" if there else "refuse")
    assert (link.is_symlink(), second.is_symlink(), real.read_text()) == (True, True, "new")
    assert contents(tmp_path / "real") == {"x.txt": "new"}


@posix
def test_a_loop_of_links_is_told(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(FileAccessError, match="a cannot be written"):
        write_whole(tmp_path / "a", "text", "replace")
    assert (tmp_path / "a").is_symlink()


@posix
def test_another_name_of_a_replaced_file_keeps_the_old_text(tmp_path):
    (tmp_path / "x.txt").write_text("old")
    os.link(tmp_path / "x.txt", tmp_path / "other")
    write_whole(tmp_path / "x.txt", "new", "replace")
    assert contents(tmp_path) == {"x.txt": "new", "other": "old"}


@posix
@pytest.mark.parametrize("existing", ["refuse", "replace"])
@pytest.mark.parametrize("linked", [False, True])
def test_devices_are_written_into(tmp_path, existing, linked):
    path = tmp_path / "null"
    path.symlink_to("/dev/null")
    write_whole(path if linked else Path("/dev/null"), "text", existing)
    assert path.is_symlink()
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@posix
def test_pipes_are_written_into(tmp_path):
    path, got = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: got.append(path.read_text()))
    reader.start()
    write_whole(path, "text" * 50_000, "refuse")
    reader.join()
    assert (got, stat.S_ISFIFO(path.stat().st_mode)) == (["text" * 50_000], True)


@posix
@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_standard_output_by_name_is_added_to(path, tmp_path):
    if not os.path.exists(path):
        pytest.skip("this system has no such name")
    code = (
        "from pathlib import Path; from got_ocr2.cli.output.writing import *; "
        f"write_whole(Path({path!r}), 'new', 'refuse')"
    )
    log = tmp_path / "log"
    log.write_text("old ")
    with log.open("a") as file:
        assert subprocess.run([sys.executable, "-c", code], stdout=file, check=False).returncode == 0
    assert log.read_text() == "old new"


def test_sockets_and_folders_are_refused(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(FileAccessError, match="folder cannot be written: Is a directory"):
        write_whole(tmp_path / "folder", "text", "replace")
    if os.name != "nt":
        import socket

        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "s"))
            with pytest.raises(FileAccessError, match="no file and no stream"):
                write_whole(tmp_path / "s", "text", "replace")
        assert stat.S_ISSOCK(os.stat(tmp_path / "s").st_mode)


def test_a_file_where_a_folder_is_needed(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(FileAccessError, match="cannot be written: "):
        write_whole(tmp_path / "a" / "x.txt", "text", "replace")
    with pytest.raises(FileAccessError, match="null"):
        write_whole(Path("null\0byte"), "text", "replace")
    assert contents(tmp_path) == {"a": "mine"}


@pytest.mark.parametrize("existing", ["refuse", "replace"])
@pytest.mark.parametrize("step", ["write", "fsync", "publish"])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, step, existing):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "x.txt"
    if existing == "replace":
        path.write_text("mine")
    name = {"publish": "replace" if existing == "replace" else "link"}.get(step, step)
    monkeypatch.setattr(writing.os, name, full)
    with pytest.raises(FileAccessError, match=r"x\.txt cannot be written: No space left on device\.$"):
        write_whole(path, "text", existing)
    assert contents(tmp_path) == ({"x.txt": "mine"} if existing == "replace" else {})


@posix
def test_a_full_device_is_told():
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    with pytest.raises(FileAccessError, match="No space left on device"):
        write_whole(Path("/dev/full"), "text", "replace")


@posix
def test_file_systems_without_hard_links(tmp_path, monkeypatch):
    def no_links(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(writing.os, "link", no_links)
    write_whole(tmp_path / "x.txt", "first", "refuse")
    with pytest.raises(AlreadyThereError):
        write_whole(tmp_path / "x.txt", "second", "refuse")
    assert contents(tmp_path) == {"x.txt": "first"}


def test_of_many_writers_without_force_exactly_one_wins(tmp_path):
    outcomes: list[str] = []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            write_whole(tmp_path / "x.txt", f"text {number}", "refuse")
            outcomes.append(f"text {number}")
        except AlreadyThereError:
            pass

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert contents(tmp_path) == {"x.txt": outcomes[0]}
    assert len(outcomes) == 1


def test_what_a_killed_run_left_is_removed_once_it_is_old(tmp_path):
    old, new, other = (
        tmp_path / f".got-ocr2-{name}.part" for name in ("0123456789ab", "ba9876543210", "mine")
    )
    for path in (old, new, other):
        path.write_text("x")
    for path in (old, other):
        os.utime(path, (1, 1))
    write_whole(tmp_path / "x.txt", "text", "refuse")
    assert contents(tmp_path).keys() == {"x.txt", new.name, other.name}


def test_without_hard_links_a_failure_leaves_no_empty_file(tmp_path, monkeypatch):
    def fails(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(writing.os, "link", fails)
    monkeypatch.setattr(writing.os, "replace", fails)
    with pytest.raises(FileAccessError):
        write_whole(tmp_path / "x.txt", "text", "refuse")
    assert contents(tmp_path) == {}


@posix
@pytest.mark.parametrize("out", ["/dev/stdout", "pipe"])
def test_a_reader_that_went_away(out, tmp_path):
    code = (
        "import sys; from pathlib import Path; from got_ocr2.cli.output.writing import *\n"
        "try: write_whole(Path(sys.argv[1]), 'x' * 200_000, 'refuse')\n"
        "except BrokenPipeError: sys.stderr.write('pipe')\n"
        "except Exception as e: sys.stderr.write(str(e))\nfinally: sys.stdout = None"
    )
    os.mkfifo(tmp_path / "pipe")
    path = out if out.startswith("/") else str(tmp_path / out)
    shell = (
        '"$0" -c "$1" "$2" | true'
        if out.startswith("/")
        else '(head -c 1 "$2" >/dev/null) & "$0" -c "$1" "$2"'
    )
    ran = subprocess.run(
        ["sh", "-c", shell, sys.executable, code, path],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.stderr == (
        "pipe" if out.startswith("/") else f"{path} cannot be written: its reader went away."
    )


# --- what is incomplete ---------------------------------------------------------------------------------


@FEW
@given(st.binary(max_size=40), st.binary(max_size=40))
@pytest.mark.parametrize("suffix", [".docx", ".pdf", ".md"])
def test_an_incomplete_file_of_any_format_is_known_by_its_sum(tmp_path, suffix, first, second):
    folder = tmp_path / secrets.token_hex(4)
    path = folder / f"a [1].partial{suffix}"
    one = write_partial(path, first)
    assert (one.read_bytes(), one.suffix, one.name.startswith("a [1].partial~")) == (first, suffix, True)
    assert write_partial(path, first) == one
    two = write_partial(path, second)
    assert [*folder.iterdir()] == [two]
    two.write_bytes(second + b"mine")
    mine = folder / f"a [1].partial~0123456789abcdef{suffix}"
    mine.write_bytes(b"mine")
    three = write_partial(path, first)
    remove_partials(path)
    assert not three.exists()
    assert {*folder.iterdir()} == {two, mine}


@pytest.mark.parametrize("to", ["md", "docx", "md,json"])
def test_rendered_files_of_an_incomplete_document_go_when_it_is_whole(cli, picture, tmp_path, to):
    source, out = picture("a.tif", 5, 4, 60, 40), tmp_path / "out"
    for _ in range(2):
        assert cli("read", source, "--to", to, "-o", f"{out}/", "--max-pixels", 100).code == 2
        assert sorted(path.suffix for path in out.iterdir()) == sorted(f".{name}" for name in to.split(","))
        assert all(path.name.startswith("a.partial~") for path in out.iterdir())
    assert cli("read", source, "--to", to, "-o", f"{out}/").code == 0
    assert sorted(path.name for path in out.iterdir()) == sorted(f"a.{name}" for name in to.split(","))


# --- names ----------------------------------------------------------------------------------------------

NAMES = st.one_of(
    st.builds(lambda c, n: c * n, st.sampled_from("aéあ\u0301𝒳."), st.integers(1, 255)),
    st.text(st.sampled_from("aAéÉ\u0301ßs.~-2partil"), min_size=1, max_size=12),
).filter(lambda name: name.strip(".") and 0 < len(os.fsencode(name)) <= 251)


def sources(names: list[str], suffixes: list[str]) -> list[str]:
    return [f"in{n}/{name}{suffix}" for n, (name, suffix) in enumerate(zip(names, suffixes, strict=True))]


@FEW
@given(
    st.lists(
        st.tuples(NAMES, st.sampled_from([".png", ".PNG", ".partial.png", "", ".txt"])),
        min_size=1,
        max_size=8,
    )
)
@pytest.mark.parametrize("suffix", [".txt", ".json"])
def test_no_two_names_are_one_and_each_fits(tmp_path, suffix, drawn):
    found = [Found.of(source) for source in sources(*map(list, zip(*drawn, strict=True)))]
    jobs = plan(found, str(tmp_path), suffix, folder_given=True)
    names = [path for job in jobs for path in (job.target, job.partial)]
    for path in names:
        assert len(os.fsencode(path.name)) <= 255
        assert path.suffix == suffix
        assert path.parent == tmp_path
    folded = {unicodedata.normalize("NFC", path.name).casefold() for path in names}
    assert len(folded) == len(names)
    assert jobs == plan(found, str(tmp_path), suffix, folder_given=True)


@pytest.mark.parametrize("length", [60, 76, 80, 81, 82, 83, 84])
def test_every_length_of_name_can_be_written(cli, picture, tmp_path, length):
    source = picture("あ" * min(length, 83) + "." + "a" * (length > 83) + "png", 50, 40)
    for options in (["--json"], []):
        out = tmp_path / "out"
        assert cli("read", source, *options, "-o", f"{out}/").code == 0
        assert cli("read", source, *options, "-o", f"{out}/", "--max-pixels", 1, "--force").code == 2
    assert len({path.name for path in out.iterdir()}) == 3  # the failed JSON has a file of its own


def test_a_folder_and_a_file_of_one_name_are_kept_apart(cli, picture, tmp_path):
    picture("in/x.txt/a.png", 5, 4)
    picture("in/x.png", 6, 3)
    assert cli("read", tmp_path / "in", "-r", "-o", tmp_path / "out").code == 0
    assert (tmp_path / "out/x.txt/a.txt").read_text() == "5x4\n"
    assert (tmp_path / "out/x.png.txt").read_text() == "6x3\n"


def test_pages_that_are_drawn_have_names_of_their_own(cli, picture, tmp_path):
    picture("in/a.tif", 50, 40, 60, 40)
    picture("in/a-2.png", 70, 40)
    assert cli("layout", tmp_path / "in", "-o", tmp_path / "out", "--force").code == 0
    names = {}
    for path in (tmp_path / "out").iterdir():
        with Image.open(path) as image:
            names[path.name] = image.size
    assert names == {"a-1.png": (50, 40), "a-2-page.png": (60, 40), "a-2.png": (70, 40)}


def test_an_empty_text_names_no_output(cli, picture):
    ran = cli("read", picture("a.png", 5, 4), "-o", "")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    with pytest.raises(InvalidOptionError, match="empty text"):
        plan([Found.of("a.png")], "", ".txt", folder_given=False)


@pytest.mark.parametrize("how", ["same name", "link", "hard link"])
def test_a_document_is_never_replaced_by_its_text(cli, picture, tmp_path, how):
    source = picture("in/a.bmp", 5, 4).rename(tmp_path / "in/a.txt")
    before, out = source.read_bytes(), tmp_path / "out.txt"
    if how == "link":
        out.symlink_to(source)
    elif how == "hard link":
        os.link(source, out)
    else:
        out = source
    ran = cli("read", source, "-o", out, "--force")
    assert (ran.code, ran.err.count("\n")) == (5, 1)
    assert "is where" in ran.err
    assert source.read_bytes() == before
    check_apart(plan([Found.of(str(source))], str(tmp_path / "other.txt"), ".txt", folder_given=False))


# --- what is incomplete ---------------------------------------------------------------------------------


@given(st.text(max_size=40), st.text(max_size=20), st.binary(max_size=8), st.integers(0, 60))
@FEW
def test_only_an_unchanged_file_of_ours_is_ours(tmp_path, text, why, changed, place):
    path = tmp_path / "x.partial.txt"
    ours = marked_partial(text, why.replace("]", "")).encode()
    path.write_bytes(ours)
    assert is_own_partial(path)
    other = ours[:place] + changed + ours[place + len(changed) :]
    path.write_bytes(other)
    assert is_own_partial(path) == (other == ours)
    path.write_bytes(text.encode())
    assert not is_own_partial(path)


@pytest.mark.parametrize("json_wanted", [False, True])
def test_a_file_of_the_users_that_is_called_partial_survives(cli, picture, tmp_path, json_wanted):
    suffix, options = (".json", ["--json"]) if json_wanted else (".txt", [])
    source, out = picture("x.tiff", 50, 40, 60, 50), tmp_path / "out"
    out.mkdir()
    mine = out / f"x.partial{suffix}"
    mine.write_text("my notes\n")
    for _ in range(2):  # what we wrote ourselves is replaced the second time
        assert cli("read", source, *options, "-o", out, "--max-pixels", 2000).code == 2
        assert {path.name for path in out.iterdir()} == {mine.name, f"x.partial-2{suffix}"}
    assert cli("read", source, *options, "-o", out).code == 0
    assert mine.read_text() == "my notes\n"
    assert cli("read", source, *options, "-o", out, "--force").code == 0
    assert mine.read_text() == "my notes\n"


def test_a_document_called_partial_keeps_its_result(cli, picture, tmp_path):
    sources = [picture("x.tiff", 50, 40, 60, 50), picture("x.partial.png", 40, 40)]
    for order in (sources, sources[::-1]):
        out = tmp_path / f"out{order[0].suffix}"
        assert cli("read", *order, "-o", out, "--max-pixels", 2000).code == 2
        assert (out / "x.partial.txt").read_text() == "40x40\n"
        assert (out / "x.partial-2.txt").read_text().startswith("50x40\n")
        assert len(list(out.iterdir())) == 2


def test_json_that_somebody_changed_is_no_longer_ours(cli, picture, tmp_path):
    source, out = picture("x.png", 50, 40), tmp_path / "x.json"
    assert cli("read", source, "--json", "-o", out, "--max-pixels", 1).code == 2
    partial = tmp_path / "x.partial.json"
    assert is_own_partial(partial)
    partial.write_text(json.dumps({**json.loads(partial.read_text()), "note": "mine"}))
    assert not is_own_partial(partial)


@pytest.mark.parametrize("command", ["layout", "render"])
def test_neither_a_drawing_nor_a_rendering_replaces_what_it_was_made_of(cli, picture, tmp_path, command):
    source = picture("a.png", 50, 40) if command == "layout" else tmp_path / "a.md"
    if command == "render":
        source.write_text("# Title\n")
    before = source.read_bytes()
    more = ["--to", "html"] if command == "render" else []
    ran = cli(command, source, *more, "-o", source, "--force")
    assert (ran.code, ran.err.count("\n")) == (5, 1)
    assert source.read_bytes() == before


@pytest.mark.parametrize("option", ["--json", "--plot"])
def test_figures_of_a_measurement_replace_nothing_unasked(cli, tmp_path, option):
    (tmp_path / "x.json").write_text("mine")
    ran = cli("bench", "default", option, tmp_path / "x.json")
    assert (ran.code, ran.err.count("\n")) == (5, 1)
    assert "would be overwritten; choose --force" in ran.err
