from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import jsonschema
import pytest

from got_ocr2.documents import DEFAULT_DPI, Limits
from got_ocr2.results import json_schema
from make_pdf import make_pdf

# --- text on standard output ----------------------------------------------------------------------------


def test_text_goes_to_standard_output_and_nothing_else(cli, picture):
    ran = cli("read", picture("a.png", 5, 4))
    assert (ran.code, ran.out, ran.err) == (0, "5x4\n", "")
    defaults = {
        "quantization": None,
        "kernels": "auto",
        "kv_memory": None,
        "kv_cache": "auto",
        "max_batch": 64,
    }
    assert cli.opened == [(None, {"device": "auto", "dtype": "auto", **defaults})]


def test_an_empty_line_stands_between_pages_and_documents(cli, picture):
    for terminal in (False, True):
        ran = cli("read", picture("a.tiff", 5, 4, 6, 3), picture("b.png", 7, 2), terminal=terminal)
        assert (ran.code, ran.out) == (0, "5x4\n\n6x3\n\n7x2\n")


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("text", ["ends its line\n", "does not", "two\n\nparagraphs\n"])
def test_every_text_ends_its_line_once(cli, picture, terminal, text):
    sources = (picture("a.png", 1, 1), picture("b.png", 1, 1))
    ran = cli("read", *sources, answer=lambda _: text, terminal=terminal)
    assert ran.out == text.rstrip("\n") + "\n\n" + text.rstrip("\n") + "\n"


def test_a_terminal_is_safe_from_control_characters_and_a_pipe_gets_them_all(cli, picture):
    source = picture("a.png", 1, 1)
    for terminal, out in ((True, "a\ufffd[2Jb\tc\n"), (False, "a\x1b[2Jb\tc\n")):
        assert cli("read", source, answer=lambda _: "a\x1b[2Jb\tc", terminal=terminal).out == out


def test_empty_and_cut_pages_are_told_on_standard_error(cli, picture):
    source = picture("a.png", 1, 1)
    ran = cli("read", source, answer=lambda _: "")
    assert (ran.code, ran.out) == (0, "")
    assert ran.err == f"{source}, page 1: no text was found.\n"
    ran = cli("read", source, "--max-new-tokens", 2)
    assert (ran.code, ran.out) == (0, "1x\n")
    assert "the text ends at 2 tokens" in ran.err
    assert cli("read", source, "--max-new-tokens", 2, "-q").err == ""


def test_standard_input(cli, picture, stdin):
    stdin(picture("a.png", 5, 4).read_bytes())
    assert cli("read", "-").out == "5x4\n"


def test_folders_and_patterns(cli, picture, tmp_path):
    for name, width in (("p10.png", 10), ("p9.png", 9), ("sub/p1.png", 1)):
        picture(name, width, 5)
    assert cli("read", tmp_path).out == "9x5\n\n10x5\n"
    assert cli("read", tmp_path, "-r").out == "9x5\n\n10x5\n\n1x5\n"
    assert cli("read", f"{tmp_path}/*0.png").out == "10x5\n"


# --- options --------------------------------------------------------------------------------------------


def test_options_reach_the_model(cli, picture):
    asked = {}

    def answer(pages):
        return f"{len(pages)} pages"

    ran = cli(
        "read",
        picture("a.tiff", 5, 4, 6, 3, 7, 2),
        "--multi-page",
        "--pages",
        "1,3",
        "--format",
        answer=answer,
    )
    assert (ran.code, ran.out) == (0, "2 pages\n")
    ran = cli(
        "read", picture("b.png", 9, 9), "--box", "1,2,3.5,4", "--color", "red", "--max-patches", 3, "--json"
    )
    asked = json.loads(ran.out)["request"]
    assert asked == {
        "format": False, "box": [1.0, 2.0, 3.5, 4.0], "color": "red", "multi_page": False, "crop": True,
        "max_patches": 3,
    }  # fmt: skip


def test_all_inputs_are_one_text_with_multi_page(cli, picture):
    ran = cli("read", picture("a.png", 5, 4), picture("b.png", 6, 3), "--multi-page")
    assert ran.out == "5x4 6x3\n"


def test_pdf_options(cli, tmp_path):
    path = tmp_path / "a.pdf"
    path.write_bytes(make_pdf(["a", "b", "c"], size=(72, 36), password="sesame"))
    ran = cli("read", path, "--pages", "2-", "--dpi", 100, "--password", "sesame", "--no-skip-blank")
    assert (ran.code, ran.out) == (0, "100x50\n\n100x50\n")
    ran = cli("read", path)
    assert (ran.code, ran.out, ran.err) == (8, "", f"{path} is encrypted and needs a password.\n")


def test_engine_options(cli, picture, monkeypatch):
    source = picture("a.png", 5, 4)
    more = ("--quantize", "int8", "--kernels", "native", "--kv-memory", "1.5GB", "--batch-size", 100)
    assert cli("read", source, *more).out == "5x4\n"
    for name, value in (("QUANTIZE", "int4"), ("KERNELS", "torch"), ("KV_MEMORY", "9")):
        monkeypatch.setenv(f"GOT_OCR2_{name}", value)
    cli("read", source)
    asked = [list(options.values())[2:] for _, options in cli.opened]
    assert asked == [["int8", "native", 1_500_000_000, "auto", 100], ["int4", "torch", 9, "auto", 64]]
    ran = cli("read", source, "--kv-memory", "much")
    assert (ran.code, "it must be a size such as 2GB or 500MB, got 'much'" in ran.err) == (1, True)


def test_it_says_once_that_there_are_no_compiled_kernels(cli, picture, monkeypatch):
    from got_ocr2 import OCR

    monkeypatch.setattr(OCR, "why_not_native", "nobody built them")
    said = "Reading with torch, slower than the compiled kernels would be: nobody built them.\n"
    ran = cli("read", picture("a.png", 5, 4), picture("b.png", 6, 4))
    assert (ran.code, ran.out, ran.err) == (0, "5x4\n\n6x4\n", said)
    assert cli("read", picture("a.png", 5, 4), "-q").err == ""


def test_the_environment_stands_below_the_command_line(cli, picture, monkeypatch, tmp_path):
    source = picture("a.png", 5, 4)
    settings = {"MODEL": "some/model", "DEVICE": "cuda", "DTYPE": "float16", "MAX_NEW_TOKENS": "1"}
    for name, value in settings.items():
        monkeypatch.setenv(f"GOT_OCR2_{name}", value)
    assert cli("read", source).out == "5\n"
    assert cli("read", source, "--model", tmp_path, "--device", "cpu", "--max-new-tokens", 2).out == "5x\n"
    opened = [(model, {name: options[name] for name in ("device", "dtype")}) for model, options in cli.opened]
    assert opened == [
        ("some/model", {"device": "cuda", "dtype": "float16"}),
        (str(tmp_path), {"device": "cpu", "dtype": "float16"}),
    ]


def test_numbers_named_in_the_help_are_the_defaults(cli):
    words = " ".join(cli("read", "--help").out.split())
    assert f"{DEFAULT_DPI:g}" in words
    assert f"{Limits().max_pixels}" in words


def test_verbose_says_what_is_done(cli, picture, tmp_path):
    ran = cli("read", picture("a.png", 5, 4), "-v", "-o", tmp_path / "a.txt")
    assert ran.out == ""
    assert "The embedded model runs on cpu in torch.float32." in ran.err
    assert "a.png, page 1: 4 tokens in" in ran.err
    assert "confidence 0.61" in ran.err
    assert f"Wrote {tmp_path / 'a.txt'}." in ran.err


NONSENSE = {
    "box and several pages": (["--box", "1,2,3,4", "--multi-page"], "cannot go with multi_page"),
    "box of three": (["--box", "1,2,3"], "--box must be x1,y1,x2,y2 in pixels, got '1,2,3'"),
    "box of words": (["--box", "a,b,c,d"], "--box must be x1,y1,x2,y2 in pixels, got 'a,b,c,d'"),
    "box reversed": (["--box", "9,9,1,1"], "empty or reversed"),
    "pages": (["--pages", "0"], "counted from 1"),
    "dpi": (["--dpi", "0"], "number above 0, got '0'"),
    "loud and quiet": (["-v", "-q"], "--verbose and --quiet exclude each other"),
    "keep and replace": (["-o", "x", "--force", "--skip-existing"], "exclude each other"),
    "force nothing": (["--force"], "--force is about output files; it needs --output"),
    "skip nothing": (["--skip-existing", "-o", "-"], "--skip-existing is about output files"),
}


@pytest.mark.parametrize(("options", "message"), NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_one_sentence_before_the_model_is_opened(cli, options, message):
    ran = cli("read", "a.png", *options)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert message in ran.err
    assert cli.opened == []


# --- failures -------------------------------------------------------------------------------------------


def test_a_failed_page_never_exits_0_and_the_others_are_read(cli, picture, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nothing")
    ran = cli("read", picture("a.png", 5, 4), broken, picture("b.png", 6, 3))
    assert (ran.code, ran.out) == (2, "5x4\n\n6x3\n")
    assert ran.err == f"{broken} is neither a picture in a known format nor a PDF.\n"
    ran = cli("read", broken, tmp_path / "missing.png", picture("b.png", 6, 3))
    assert (ran.code, ran.out, ran.err.count("\n")) == (15, "6x3\n", 2)


@pytest.mark.parametrize(
    ("name", "data", "code", "message"),
    [
        ("missing.png", None, 5, "does not exist"),
        ("empty.png", b"", 2, "is empty (0 bytes)"),
        ("text.png", b"hello", 2, "neither a picture"),
        ("cut.pdf", b"%PDF-1.4", 2, "is damaged"),
        ("none*.png", None, 5, "No file matches"),
    ],
)
def test_each_failure_has_its_sentence_and_exit_code(cli, tmp_path, name, data, code, message):
    if data is not None:
        (tmp_path / name).write_bytes(data)
    ran = cli("read", tmp_path / name)
    assert (ran.code, ran.out, ran.err.count("\n")) == (code, "", 1)
    assert message in ran.err
    assert str(tmp_path / name) in ran.err


def test_a_folder_without_documents_fails_and_the_rest_is_read(cli, picture, tmp_path):
    (tmp_path / "empty").mkdir()
    ran = cli("read", tmp_path / "empty", picture("a.png", 5, 4))
    assert (ran.code, ran.out) == (2, "5x4\n")
    assert "holds no picture and no PDF" in ran.err


def test_a_page_above_the_limit_is_refused_until_the_limit_is_raised(cli, picture, monkeypatch):
    source = picture("a.tiff", 5, 4, 50, 40)
    ran = cli("read", source, "--max-pixels", 100)
    assert (ran.code, ran.out) == (2, "5x4\n")
    assert "50 x 40 = 2,000 pixels, more than the limit of 100 (max_pixels)" in ran.err
    assert cli("read", source, "--max-pixels", 2000).code == 0


def test_an_unexpected_failure_of_the_model_names_the_page(cli, picture):
    source = picture("a.png", 5, 4)
    ran = cli("read", source, answer=lambda _: RuntimeError("out of memory"))
    assert (ran.code, ran.err) == (15, f"{source}, page 1: RuntimeError: out of memory\n")


def test_a_model_that_is_not_there(picture, tmp_path, capsys):
    from got_ocr2.cli import main

    assert main(["read", str(picture("a.png", 5, 4)), "--model", str(tmp_path), "-q"]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err.count("\n")) == ("", 1)
    assert str(tmp_path) in captured.err


# --- JSON -----------------------------------------------------------------------------------------------


def test_json_is_one_line_a_document_and_keeps_the_schema(cli, picture, tmp_path):
    ran = cli(
        "read", picture("a.tiff", 5, 4, 6, 3), tmp_path / "missing.png", picture("é.png", 7, 2), "--json",
        terminal=True,
    )  # fmt: skip
    assert ran.code == 5
    lines = [json.loads(line) for line in ran.out.splitlines()]
    for line in lines:
        jsonschema.validate(line, json_schema())
    assert [line["kind"] for line in lines] == ["document", "page", "page"]
    assert [line["status"] for line in lines] == ["complete", "failed", "complete"]
    assert lines[0]["text"] == "5x4\n\n6x3"
    assert lines[1]["error"]["exit_code"] == 5
    assert lines[2]["source"].endswith("é.png")


# --- files ----------------------------------------------------------------------------------------------


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_one_document_goes_into_one_file(cli, picture, tmp_path):
    ran = cli("read", picture("a.tiff", 5, 4, 6, 3), "-o", tmp_path / "new" / "out.txt")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    assert files(tmp_path / "new") == {"out.txt": "5x4\n\n6x3\n"}


def test_a_dash_is_standard_output(cli, picture):
    assert cli("read", picture("a.png", 5, 4), "-o", "-").out == "5x4\n"


def test_several_documents_go_into_a_folder(cli, picture, tmp_path):
    out = tmp_path / "out"
    assert cli("read", picture("a.png", 5, 4), picture("b.png", 6, 3), "-o", out).code == 0
    assert files(out) == {"a.txt": "5x4\n", "b.txt": "6x3\n"}


@pytest.mark.parametrize("how", ["existing", "slash", "folder input"])
def test_one_document_goes_into_a_folder_where_a_folder_is_meant(cli, picture, tmp_path, how):
    source, out = picture("in/a.png", 5, 4), tmp_path / "out"
    if how == "existing":
        out.mkdir()
    cli(
        "read", source.parent if how == "folder input" else source, "-o", f"{out}/" if how == "slash" else out
    )
    assert files(out) == {"a.txt": "5x4\n"}


def test_a_file_cannot_take_several_documents(cli, picture, tmp_path):
    (tmp_path / "out").write_text("mine")
    ran = cli("read", picture("a.png", 5, 4), picture("b.png", 6, 3), "-o", tmp_path / "out")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert "is a file, but a folder is needed" in ran.err
    assert (tmp_path / "out").read_text() == "mine"


def test_folders_within_folders_are_kept(cli, picture, tmp_path):
    picture("in/a.png", 5, 4)
    picture("in/sub/a.png", 6, 3)
    cli("read", tmp_path / "in", "-r", "-o", tmp_path / "out")
    assert files(tmp_path / "out") == {"a.txt": "5x4\n", "sub/a.txt": "6x3\n"}


def test_documents_of_one_stem_do_not_overwrite_each_other(cli, picture, tmp_path):
    sources = [
        picture("a.png", 1, 1), picture("A.bmp", 2, 1), picture("x/a.png", 3, 1), picture("y/a.png", 4, 1),
        picture("a.png.gif", 5, 1), picture("b.png", 6, 1),
    ]  # fmt: skip
    cli("read", *sources, "-o", tmp_path / "out")
    written = files(tmp_path / "out")
    assert written == {
        "a.png-2.txt": "1x1\n", "A.bmp.txt": "2x1\n", "a.png-3.txt": "3x1\n", "a.png-4.txt": "4x1\n",
        "a.png.txt": "5x1\n", "b.txt": "6x1\n",
    }  # fmt: skip
    assert len({name.casefold() for name in written}) == len(sources)


def test_names_for_what_has_none(cli, picture, tmp_path, stdin, monkeypatch):
    picture("scans/a.png", 5, 4)
    stdin(picture("b.png", 6, 3).read_bytes())
    cli("read", "-", picture("c.png", 1, 1), "-o", tmp_path / "out")
    assert set(files(tmp_path / "out")) == {"stdin.txt", "c.txt"}
    (tmp_path / "one").mkdir()
    monkeypatch.chdir(tmp_path / "scans")
    cli("read", ".", "--multi-page", "-o", tmp_path / "one")
    assert files(tmp_path / "one") == {"scans.txt": "5x4\n"}


@pytest.mark.parametrize("name", ["line\nbreak", "ümlaut 日本", "-dash", "a'b\"c", "$HOME", "dots.in.name"])
def test_odd_names(cli, picture, tmp_path, name):
    ran = cli("read", "-o", f"{tmp_path}/out/", "--", picture(f"{name}.png", 5, 4))
    assert (ran.code, ran.err) == (0, "")
    assert files(tmp_path / "out") == {f"{name}.txt": "5x4\n"}


def test_nothing_is_overwritten_without_being_told_to(cli, picture, tmp_path):
    out = tmp_path / "out"
    sources = [picture("a.png", 5, 4), picture("b.png", 6, 3)]
    cli("read", *sources, "-o", out)
    (out / "a.txt").write_text("mine")
    ran = cli("read", *sources, "-o", out)
    assert (ran.code, ran.err.count("\n")) == (5, 1)
    assert "a.txt and 1 more would be overwritten; choose --force or --skip-existing" in ran.err
    assert files(out)["a.txt"] == "mine"
    assert len(cli.opened) == 1
    (out / "b.txt").unlink()
    assert cli("read", *sources, "-o", out, "--skip-existing").code == 0
    assert files(out) == {"a.txt": "mine", "b.txt": "6x3\n"}
    assert cli("read", *sources, "-o", out, "--force").code == 0
    assert files(out) == {"a.txt": "5x4\n", "b.txt": "6x3\n"}


def test_when_all_is_there_no_model_is_opened(cli, picture, tmp_path):
    source = picture("a.png", 5, 4)
    cli("read", source, "-o", tmp_path / "a.txt")
    ran = cli("read", source, "-o", tmp_path / "a.txt", "--skip-existing", "-v")
    assert (ran.code, ran.err) == (0, "1 of 1 documents have their output already.\n")
    assert len(cli.opened) == 1


def test_half_a_document_is_never_taken_for_the_whole(cli, picture, tmp_path):
    source, out = picture("a.tiff", 5, 4, 50, 40, 6, 3), tmp_path / "out"
    out.mkdir()
    assert cli("read", source, "-o", out, "--max-pixels", 100).code == 2
    (partial,) = files(out).items()
    assert partial[0] == "a.partial.txt"
    assert re.fullmatch(
        r"5x4\n\n6x3\n\n\[got-ocr2: incomplete; page 2 is missing; sum [0-9a-f]{16}\]\n", partial[1]
    )
    assert cli("read", source, "-o", out, "--skip-existing").code == 0
    assert files(out) == {"a.txt": "5x4\n\n50x40\n\n6x3\n"}


def test_a_document_that_fails_whole_leaves_no_text_file(cli, tmp_path):
    (tmp_path / "a.png").write_bytes(b"nothing")
    for _ in range(2):
        assert cli("read", tmp_path / "a.png", "-o", tmp_path / "out/").code == 2
        assert not (tmp_path / "out").exists()
    cli("read", tmp_path / "a.png", "--json", "-o", f"{tmp_path}/out/")
    assert json.loads(files(tmp_path / "out")["a.partial.json"])["error"]["exit_code"] == 2


def test_json_files_keep_the_schema(cli, picture, tmp_path):
    cli("read", picture("a.png", 5, 4), picture("b.tiff", 6, 3, 7, 2), "--json", "-o", tmp_path / "out")
    for text in files(tmp_path / "out").values():
        jsonschema.validate(json.loads(text), json_schema())
    assert set(files(tmp_path / "out")) == {"a.json", "b.json"}


def test_output_that_cannot_be_written_is_told_and_the_rest_goes_on(cli, picture, tmp_path):
    out = tmp_path / "out"
    (out / "a.txt").mkdir(parents=True)
    ran = cli("read", picture("a.png", 5, 4), picture("b.png", 6, 3), "-o", out, "--force")
    assert ran.code == 5
    assert "a.txt cannot be written" in ran.err
    assert files(out) == {"b.txt": "6x3\n"}


def test_a_run_cut_short_leaves_whole_files_only(cli, picture, tmp_path):
    def answer(pages):
        if pages[0].width == 6:
            raise KeyboardInterrupt
        return "fine"

    out = tmp_path / "out"
    ran = cli("read", picture("a.png", 5, 4), picture("b.png", 6, 3), "-o", out, answer=answer)
    assert (ran.code, ran.err) == (130, "Interrupted.\n")
    assert files(out) == {"a.txt": "fine\n"}


# --- the progress bar -----------------------------------------------------------------------------------


def test_a_progress_bar_is_drawn_on_a_terminal_and_stays_off_the_text(cli, picture, monkeypatch, tmp_path):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "160")
    sources = (picture("a.tiff", 5, 4, 6, 3), tmp_path / "missing.png", picture("b.png", 7, 2))
    ran = cli("read", *sources)
    assert (ran.code, ran.out) == (5, "5x4\n\n6x3\n\n7x2\n")
    assert "4/4" in ran.err
    assert "pages/s" in ran.err
    assert "missing.png does not exist" in ran.err
    assert "4/4" not in cli("read", *sources, "-q").err
    assert "4/4" not in cli("read", *sources, terminal=True).err


# --- as people run it -----------------------------------------------------------------------------------


def test_a_reader_that_goes_away_ends_the_work_quietly(cli, picture, monkeypatch, tmp_path):
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def fileno(self) -> int:
            return unused.fileno()

    read = []

    def answer(pages):
        read.append(pages)
        return "text"

    with (tmp_path / "unused").open("w") as unused:
        monkeypatch.setattr(sys, "stdout", Gone())
        ran = cli("read", picture("a.png", 5, 4), picture("b.png", 5, 4), answer=answer)
    assert (ran.code, ran.err, len(read)) == (141, "", 1)


def test_a_real_checkpoint_is_read_from_the_command_line(byte_folder, page_image, tmp_path, capsys):
    from got_ocr2.cli import main

    page_image.save(tmp_path / "page.png")
    arguments = ["read", str(tmp_path / "page.png"), "--model", str(byte_folder), "--device", "cpu"]
    assert main([*arguments, "--max-new-tokens", "4", "--json", "-q"]) == 0
    result = json.loads(capsys.readouterr().out)
    jsonschema.validate(result, json_schema())
    assert (result["tokens"], result["status"], result["width"]) == (4, "truncated", 150)
