"""Folders become pages to read: pairs, JSON lines, and the three benchmarks on tiny folders of their layout."""

import json

import pytest
from PIL import Image

from got_ocr2.errors import FileAccessError, InputError, InvalidOptionError
from got_ocr2.evaluation import load_dataset
from got_ocr2.synth.sample import Task


def picture(path, size=(60, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, "white").save(path)


def test_pairs(tmp_path):
    for name in ("b.png", "a.JPG"):
        picture(tmp_path / name)
    (tmp_path / "a.txt").write_text("one\ntwo\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("three", encoding="utf-8")
    (tmp_path / "README.txt").write_text("no picture", encoding="utf-8")
    found = load_dataset(tmp_path)
    assert (found.layout, found.name, found.groups) == ("pairs", tmp_path.name, ("text",))
    assert [(p.id, p.text, p.kind, p.task) for p in found.pages] == [
        ("a", "one\ntwo", "text", Task()),
        ("b", "three", "text", Task()),
    ]
    (tmp_path / "b.txt").unlink()
    with pytest.raises(FileAccessError, match=r"b\.txt is missing"):
        load_dataset(tmp_path)


def test_json_lines(tmp_path):
    for name in ("0.png", "1/0.png", "1/1.png"):
        picture(tmp_path / "images" / name)
    rows = [
        {
            "id": "region-0",
            "kind": "region",
            "images": ["images/0.png"],
            "text": "x",
            "task": {
                "format": False,
                "box": [1, 2, 30, 20],
                "color": None,
                "multi_page": False,
                "crop_to_patches": True,
            },
            "regions": [],
            "meta": {"font": "F"},
        },
        {
            "id": "multipage-1",
            "kind": "multipage",
            "images": ["images/1/0.png", "images/1/1.png"],
            "text": "y\nz",
            "task": {"multi_page": True, "format": True},
        },
    ]
    (tmp_path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n\n", encoding="utf-8")
    one, two = load_dataset(tmp_path).pages
    assert one.task == Task(box=(1.0, 2.0, 30.0, 20.0), crop_to_patches=True)
    assert one.meta == {"font": "F"}
    assert two.task == Task(format=True, multi_page=True)
    assert two.files == (tmp_path / "images/1/0.png", tmp_path / "images/1/1.png")
    assert load_dataset(tmp_path).groups == ("region", "multipage")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1 is not JSON"),
        ("[1]", "line 1 is not a JSON object but list"),
        ('{"id": "a", "kind": "text", "images": ["a.png"]}', "line 1 is no sample.*'text'"),
        ('{"id": "a", "kind": "text", "images": ["a.png"], "text": "", "task": {"colour": 1}}', "colour"),
    ],
)
def test_a_broken_line_is_named(tmp_path, line, message):
    picture(tmp_path / "a.png")
    (tmp_path / "data.jsonl").write_text(line, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_dataset(tmp_path)


def test_what_is_no_data_set(tmp_path):
    with pytest.raises(InvalidOptionError, match=r"holds no data\.jsonl"):
        load_dataset(tmp_path)
    with pytest.raises(FileAccessError, match="There is no folder"):
        load_dataset(tmp_path / "none")
    with pytest.raises(InvalidOptionError, match="must be one of auto, jsonl"):
        load_dataset(tmp_path, "folders")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="has no pages"):
        load_dataset(tmp_path, "pairs")
    row = {"id": "a", "kind": "text", "images": ["gone.png"], "text": ""}
    (tmp_path / "data.jsonl").write_text(json.dumps(row), encoding="utf-8")
    with pytest.raises(FileAccessError, match=r"'a'.*needs.*gone\.png"):
        load_dataset(tmp_path)
    picture(tmp_path / "gone.png")
    (tmp_path / "data.jsonl").write_text(f"{json.dumps(row)}\n{json.dumps(row)}", encoding="utf-8")
    with pytest.raises(InputError, match="two pages with the id 'a'"):
        load_dataset(tmp_path)


def fox(folder, name, question, answer="Answer", image="en_7.png"):
    talk = [{"from": "human", "value": f"<image>\n{question}"}, {"from": "gpt", "value": answer}]
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps([{"image": image, "conversations": talk}]), encoding="utf-8")


def test_fox(tmp_path):
    root = tmp_path / "focus_benchmark_test"
    picture(root / "en_pdf_png/en_7.png", (1700, 2200))
    picture(root / "cn_pdf_png/cn_1.png", (900, 700))
    picture(root / "en_pdf_png_onbox/en_7.png", (1700, 2200))
    fox(root, "en_page_ocr.json", "Give the OCR results of this page.")
    fox(root, "en_box_ocr.json", "Give the OCR results of the box [113, 660, 886, 1000].")
    fox(root, "en_onbox_ocr.json", "Give the OCR results of the Red box.")
    # The published list pairs this file with the other language's folder.
    fox(root, "cn_line_ocr.json", "OCR the line [0, 10, 999, 20]", "行", "cn_1.png")
    fox(root, "en_box_summary.json", "Summarise the box [1, 2, 3, 4].")

    found = load_dataset(tmp_path)
    assert found.layout == "fox"
    pages = {page.group: page for page in found.pages}
    assert list(pages) == ["en_page_ocr", "cn_line_ocr", "en_box_ocr", "en_onbox_ocr"]
    assert pages["en_page_ocr"].task == Task()
    assert pages["en_page_ocr"].text == "Answer"
    assert pages["en_onbox_ocr"].task == Task(color="red")
    assert pages["en_onbox_ocr"].files == (root / "en_pdf_png_onbox/en_7.png",)
    assert pages["cn_line_ocr"].files == (root / "cn_pdf_png/cn_1.png",)
    box = pages["en_box_ocr"].task.box
    assert [int(v / side * 1000) for v, side in zip(box, (1700, 2200) * 2, strict=True)] == [
        113,
        660,
        886,
        1000,
    ]
    assert load_dataset(root).pages[0].id == "en_page_ocr/0000"


def test_fox_questions_without_what_they_need(tmp_path):
    picture(tmp_path / "en_pdf_png/en_7.png")
    fox(tmp_path, "en_box_ocr.json", "Give the OCR results of the box.")
    with pytest.raises(InputError, match="entry 0 names no box"):
        load_dataset(tmp_path)
    fox(tmp_path, "en_box_ocr.json", "The box [1, 2, 3, 4]", image="en_8.png")
    with pytest.raises(FileAccessError, match=r"en_8\.png of Fox is missing"):
        load_dataset(tmp_path)


def det(category, order, **rest):
    return {
        "category_type": category,
        "poly": [0, 0, 9, 0, 9, 9, 0, 9],
        "ignore": False,
        "order": order,
        "anno_id": 1,
    } | rest


def test_omnidocbench(tmp_path):
    picture(tmp_path / "images/page_1.jpg")
    blocks = [
        det("text_block", 2, text="Second $x$."),
        det("title", 1, text="First"),
        det("equation_isolated", 3, latex="$$y=1$$"),
        det("table", 4, html="<table><tr><td>1</td></tr></table>", latex="ignored"),
        det("page_number", 5, text="17"),
        det("text_block", 6, text="hidden", ignore=True),
        det("figure", 7),
        det("header", None, text="head"),
    ]
    info = {"page_no": 0, "height": 40, "width": 60, "image_path": "page_1.jpg"}
    info["page_attribute"] = {"language": "english", "layout": "single_column"}
    page = {"layout_dets": blocks, "page_info": info, "extra": {"relation": []}}
    (tmp_path / "OmniDocBench.json").write_text(json.dumps([page]), encoding="utf-8")
    found = load_dataset(tmp_path)
    (page,) = found.pages
    assert (found.layout, page.id, page.group, page.task) == (
        "omnidocbench",
        "page_1",
        "english",
        Task(format=True),
    )
    assert page.elements.blocks == ("First", "Second $x$.")
    assert page.elements.formulas == ("$$y=1$$",)
    assert page.elements.tables == ("<table><tr><td>1</td></tr></table>",)
    assert page.text is None
    (tmp_path / "OmniDocBench.json").write_text('[{"page_info": {}}]', encoding="utf-8")
    with pytest.raises(InputError, match="page 0 is no OmniDocBench page"):
        load_dataset(tmp_path)


def test_olmocr(tmp_path):
    root = tmp_path / "bench_data"
    for name in ("old_scans/a.pdf", "tables/b.pdf"):
        (root / "pdfs" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (60, 40), "white").save(root / "pdfs" / name)
    base = {"page": 1, "max_diffs": 0, "checked": "verified", "url": "u"}
    facts = [
        {"pdf": "old_scans/a.pdf", "id": "f1", "type": "present", "text": "hello", "first_n": 5} | base,
        {"pdf": "old_scans/a.pdf", "id": "f2", "type": "baseline", "max_length": 9} | base,
    ]
    (root / "old_scans.jsonl").write_text("\n".join(map(json.dumps, facts)), encoding="utf-8")
    table = {"pdf": "tables/b.pdf", "id": "f3", "type": "table", "cell": "1", "up": "a"} | base
    (root / "tables.jsonl").write_text(json.dumps(table), encoding="utf-8")
    found = load_dataset(tmp_path)
    assert [(p.id, p.group, p.number) for p in found.pages] == [
        ("old_scans/a_pg1", "old_scans", 1),
        ("tables/b_pg1", "tables", 1),
    ]
    assert [fact.type for fact in found.pages[0].facts] == ["present", "baseline"]
    assert [fact.type for fact in found.pages[1].facts] == ["table", "baseline"], (
        "the missing baseline is added"
    )
    assert found.pages[0].facts[0].details["first_n"] == 5
    assert load_dataset(root).pages == found.pages

    (root / "tables.jsonl").write_text(json.dumps(table | {"type": "smell"}), encoding="utf-8")
    with pytest.raises(InputError, match="'smell'; those known here are present"):
        load_dataset(tmp_path)
    del table["cell"]
    (root / "tables.jsonl").write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(InputError, match="line 1 is a fact of type 'table' without 'cell'"):
        load_dataset(tmp_path)
