"""The page in real Chromium: what people do with it, and what they are told when something is wrong.

The model is a stand-in that knows lines by their width. With `GOT_OCR2_SCREENSHOTS=FOLDER` the pictures of
docs/serving.md are taken, with the embedded model.
"""

from __future__ import annotations

import base64
import io
import os
import re
import shutil
import socket
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from got_ocr2.ocr import OCR
from got_ocr2.training.data.examples import read_examples

pytest.importorskip("fastapi", reason="the extra serve is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")

import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright

from fake_ocr import Answer, fake_ocr
from got_ocr2.server.app import create_app
from got_ocr2.server.auth import Keys, hash_of
from got_ocr2.server.settings import Settings
from make_pdf import make_pdf

expect.set_options(timeout=30_000)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
LINES = (
    "Sphinx of black quartz, judge my vow",
    "Zebras jump quickly",
    "<b>Pack my box</b> please",
    "Liquor jugs",
)
FONT = ImageFont.load_default(24)
ROOT = Path(__file__).parents[2]


def answer(pieces: list[Image.Image]) -> str:
    """The line that is as wide as the ink of the piece."""
    (piece,) = pieces
    ink = np.flatnonzero((np.asarray(piece.convert("L")) < 128).any(0))
    return min(LINES, key=lambda line: abs(FONT.getlength(line) - (ink[-1] - ink[0])))


def drawn(lines: tuple[str, ...] = LINES) -> Image.Image:
    image = Image.new("RGB", (700, 90 + 70 * len(lines)), "white")
    for row, line in enumerate(lines):
        ImageDraw.Draw(image).text((60, 50 + 70 * row), line, "black", FONT)
    return image


def png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class Served:
    """A server in a thread of this process, which can go away and come back at the same address."""

    def __init__(self, ocr: Callable[[], OCR], data: Path, keys: Keys | None = None) -> None:
        self._make = lambda: create_app(ocr(), Settings(data=data), keys)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        config = uvicorn.Config(
            self._make(), port=self.port, log_config=None, lifespan="on", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        until = time.monotonic() + 60
        while not self._server.started:
            assert self._thread.is_alive()
            assert time.monotonic() < until
            time.sleep(0.01)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        camera = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *camera])
        yield chromium
        chromium.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    running: list[Served] = []

    def start(answer: Answer = answer, reads: str = "lines", **more: Any) -> Served:
        running.append(
            Served(partial(fake_ocr, answer, threaded=True, reads=reads), tmp_path / "data", **more)
        )
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Any]]:
    """Opens the page; at the end nothing may have gone wrong in it that no test asked for."""
    contexts: list[Any] = []
    errors: list[str] = []

    def start(server: Served, **context: Any) -> Any:
        contexts.append(
            browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-US", **context)
        )
        page = contexts[-1].new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: "Content Security" in said.text and errors.append(said.text))
        page.goto(server.address)
        return page

    yield start
    for context in contexts:
        context.close()
    assert errors == []


def drop(page: Page, name: str, data: bytes, type: str = "image/png") -> None:
    """Drops a file on the window, as a person does."""
    page.evaluate(
        """([name, data, type]) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const dataTransfer = new DataTransfer();
            dataTransfer.items.add(new File([bytes], name, { type }));
            for (const event of ["dragenter", "dragover", "drop"]) {
                document.body.dispatchEvent(new DragEvent(event, { dataTransfer, bubbles: true, cancelable: true }));
            }
        }""",
        [name, base64.b64encode(data).decode(), type],
    )


def opened(page: Page, image: Image.Image | None = None) -> Page:
    """Drops a picture and waits until its lines are found."""
    drop(page, "scan.png", png(image or drawn()))
    page.wait_for_selector(".overlay .line", state="attached")
    return page


def drag(page: Page, box: tuple[float, float, float, float]) -> None:
    """Drags a box, given in pixels of the page that `drawn` gives."""
    sheet = page.locator("#stage .sheet").bounding_box()
    scale = sheet["width"] / 700
    x1, y1, x2, y2 = (side * scale for side in box)
    page.mouse.move(sheet["x"] + x1, sheet["y"] + y1)
    page.mouse.down()
    page.mouse.move(sheet["x"] + x2, sheet["y"] + y2, steps=3)
    page.mouse.up()


def texts(page: Page) -> list[str]:
    """The lines of the first card, once it is done."""
    page.wait_for_selector(".card [data-line]")
    return page.locator(".card").first.locator("[data-line]").all_inner_texts()


def test_drop_a_file_drag_a_box_see_the_text_take_it_along(serve, open_page, tmp_path):
    page = opened(open_page(serve()))
    drag(page, (30, 40, 680, 155))
    assert texts(page) == list(LINES[:2])
    assert page.locator(".card h2").inner_text() == "Region 1"

    page.get_by_text("Zebras").hover()  # a word shows its place
    (x, y), *_ = (
        map(float, point.split(",")) for point in page.locator(".spot").get_attribute("points").split()
    )
    assert 50 < x < 70
    assert 110 < y < 150

    page.locator(".card").get_by_label("Download").click()
    with page.expect_download() as saved:
        page.locator("[data-format=docx]").click()
    assert saved.value.suggested_filename == "scan.docx"
    saved.value.save_as(tmp_path / "scan.docx")
    assert "Zebras jump quickly" in zipfile.ZipFile(tmp_path / "scan.docx").read("word/document.xml").decode()
    assert page.locator("dialog").count() == 0


def test_text_of_the_model_is_never_markup(serve, open_page):
    page = opened(open_page(serve()))
    page.keyboard.press("r")
    assert texts(page) == list(LINES)
    assert page.locator(".words b").count() == 0
    page.get_by_role("tab", name="Rendered").click()
    frame = page.wait_for_selector("#rendered iframe")
    assert frame.get_attribute("sandbox") == ""
    assert frame.content_frame().wait_for_selector("main").inner_text().splitlines() == list(LINES)


def test_what_cannot_be_read_is_said_in_one_sentence(serve, open_page):
    page = open_page(serve())
    drop(page, "notes.txt", b"no picture", "text/plain")
    page.wait_for_selector("#notice:not([hidden])")
    said = page.locator("#notice p").inner_text()
    assert said.startswith("notes.txt cannot be opened: ")
    assert said.count(". ") == 0
    assert page.locator("#welcome").is_visible()
    opened(page)  # and the next file is opened
    assert page.locator("#notice").is_hidden()
    page.get_by_label("Formatted").check()
    page.locator("#read").click()
    expect(page.locator(".card .said")).to_contain_text("format is for models that read whole pages")


def test_a_lost_server_loses_nothing(serve, open_page):
    server = serve()
    page = opened(open_page(server))
    page.locator("#read").click()
    assert texts(page) == list(LINES)
    server.stop()
    drag(page, (30, 40, 680, 80))
    page.get_by_text("The server went away while it was reading.").wait_for()
    assert page.locator(".card").count() == 2
    server.start()  # it has forgotten the file: the page sends it again
    page.locator(".card .said").get_by_text("Try again").click()
    expect(page.locator(".card").last.locator("[data-line]")).to_have_text([LINES[0]])
    assert page.locator(".card").count() == 2


def test_mended_lines_become_training_data(serve, open_page, tmp_path):
    page = opened(open_page(serve()))
    page.locator("#read").click()
    texts(page)
    page.get_by_text("Zebras").click()
    box = page.get_by_label("What this line says")
    assert box.input_value() == "Zebras jump quickly"
    box.fill("Zebras jump  slowly")
    box.press("Enter")
    expect(box).to_have_value(LINES[2])  # the next line
    box.press("ArrowUp")
    expect(box).to_have_value("Zebras jump slowly")
    box.press("Escape")
    assert texts(page)[1] == "Zebras jump slowly"
    assert page.locator(".overlay .kept").count() == page.locator(".words .kept").count() == 1
    page.get_by_label("Mended lines").click()
    assert "Zebras jump slowly" in page.locator("dialog .what").inner_text()
    with page.expect_download() as saved:
        page.locator("#zip").click()
    zipfile.ZipFile(saved.value.path()).extractall(tmp_path / "unpacked")
    (example,) = read_examples(tmp_path / "unpacked" / "corrections")
    assert example.text == "Zebras jump slowly"
    assert example.sample().images[0].height > 15
    page.locator("dialog").get_by_label("Remove").click()
    page.get_by_text("None yet.").wait_for()
    page.keyboard.press("Escape")
    assert page.locator(".overlay .kept").count() == 0


def test_click_a_frame_or_a_line(serve, open_page):
    image = drawn()
    ImageDraw.Draw(image).rectangle((40, 105, 420, 165), outline=(200, 20, 20), width=3)
    page = opened(open_page(serve()), image)
    page.wait_for_selector(".overlay .frame.red", state="attached")
    drag(page, (410, 110, 411, 111))  # a click inside the frame, beside its line
    assert texts(page) == [LINES[1]]
    assert page.locator(".card h2").inner_text() == "Red frame"
    drag(page, (100, 65, 101, 65))
    expect(page.locator(".card").last.locator("[data-line]")).to_have_text([LINES[0]])
    assert page.locator(".card h2").all_inner_texts() == ["Red frame", "Region 1"]


def test_pages_of_a_document(serve, open_page):
    page = open_page(serve())
    drop(page, "two.pdf", make_pdf(["Sphinx of black", "Jugs"], (300, 100)), "application/pdf")
    page.wait_for_selector(".overlay .line", state="attached")
    assert page.locator("#thumbnails button").count() == 2
    page.get_by_role("button", name="Read all 2 pages").click()
    page.wait_for_selector("#thumbnails button:last-child .done")
    page.keyboard.press("PageDown")
    assert page.locator("#thumbnails [aria-current=true]").get_attribute("aria-label") == "Page 2"
    assert page.locator(".card h2").inner_text() == "Page 2"
    assert texts(page) == [LINES[3]]
    page.keyboard.press("PageUp")
    assert texts(page) == [LINES[0]]
    page.get_by_label("Download all pages").click()
    with page.expect_download() as saved:
        page.locator("[data-format=txt]").click()
    assert Path(saved.value.path()).read_text("utf-8").split("\n\n") == [LINES[0], f"{LINES[3]}\n"]


def formatted(pages: list[Image.Image]) -> str:
    return FORMATTED[len(pages) - 1]


FORMATTED = ("Energy \\(E = mc^{2}\\)", "**kern\n*clefG2\n*M4/4\n=1\n4c\n4d\n4e\n4f\n==\n*-")


def test_formatted_text_is_rendered(serve, open_page):
    page = open_page(serve(formatted, "pages"))
    drop(page, "two.pdf", make_pdf(["one", "two"]), "application/pdf")
    page.get_by_label("Formatted").check()
    page.locator("#read").click()
    assert texts(page) == [FORMATTED[0]]
    page.get_by_role("tab", name="Rendered").click()
    frame = page.wait_for_selector("#rendered iframe").content_frame()
    assert frame.wait_for_selector("math").text_content().startswith("E=m")
    page.get_by_label("All pages as one text").check()
    page.get_by_role("button", name="Read 2 pages as one").click()  # a score: it has no HTML, but is drawn
    expect(page.locator("#rendered img")).to_have_attribute("src", re.compile("^blob:"))
    assert (
        page.locator("#rendered img").evaluate("(image) => image.decode().then(() => image.naturalWidth)")
        > 50
    )


def test_paste_and_camera(serve, open_page):
    page = open_page(serve())
    page.evaluate(
        """(data) => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([bytes], "image.png", { type: "image/png" }));
            document.body.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
        }""",
        base64.b64encode(png(drawn())).decode(),
    )
    page.wait_for_selector(".overlay .line", state="attached")
    assert page.locator("#name").inner_text() == "image.png"
    page.locator("#camera").click()
    page.get_by_role("button", name="Take it").click()
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#name")).to_have_text(re.compile(r"^camera-[\dT-]+\.jpg$"))


def test_by_keyboard_alone(serve, open_page):
    page = opened(open_page(serve()))
    page.keyboard.press("b")
    assert page.locator(".overlay .draft").count() == 1
    for _ in range(12):
        page.keyboard.press("Shift+ArrowRight")
    for _ in range(25):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.locator(".card").get_by_label("Remove").click()
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
    page.keyboard.press("r")
    assert texts(page) == list(LINES)
    page.keyboard.press("e")
    assert page.get_by_label("What this line says").input_value() == LINES[0]


def test_history_theme_language_and_a_narrow_screen(serve, open_page):
    page = opened(open_page(serve(), color_scheme="dark"))
    assert page.locator("html").get_attribute("data-theme") == "dark"
    page.locator("#read").click()
    texts(page)
    page.wait_for_timeout(600)  # it is kept a moment later
    page.reload()
    page.locator("#recent button").click()
    assert texts(page) == list(LINES)
    page.locator("#theme").click()
    page.locator("#language").click()
    assert page.locator("html").get_attribute("lang") == "zh-Hans"
    assert page.locator("#read").inner_text() == "识别本页"
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for part in ("#stage", "#read", "#texts"):
        box = page.locator(part).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    unnamed = "[...document.querySelectorAll('button')].filter((b) => !(b.ariaLabel || b.innerText.trim() || b.hidden))"
    assert page.evaluate(f"{unnamed}.length") == 0


def test_a_server_with_keys_asks_for_one(serve, open_page):
    page = open_page(serve(keys=Keys({"ann": hash_of("k" * 20)})))
    page.get_by_role("dialog").get_by_label("This server asks for a key").fill("wrong")
    page.keyboard.press("Enter")
    page.get_by_text("That key was not accepted.").wait_for()
    page.get_by_role("dialog").get_by_label("This server asks for a key").fill("k" * 20)
    page.keyboard.press("Enter")
    opened(page)
    page.locator("#read").click()
    assert texts(page) == list(LINES)


def test_nothing_is_fetched_from_elsewhere():
    for file in (ROOT / "src/got_ocr2/server/page").iterdir():
        text = file.read_text("utf-8")
        assert set(re.findall(r"https?://[^\"]*", text)) <= {"http://www.w3.org/2000/svg"}, file.name
        assert "innerHTML" not in text, file.name


@pytest.mark.skipif(
    "GOT_OCR2_SCREENSHOTS" not in os.environ, reason="pictures are taken when they are asked for"
)
def test_pictures_for_the_docs(browser, tmp_path):
    folder = Path(os.environ["GOT_OCR2_SCREENSHOTS"])
    folder.mkdir(parents=True, exist_ok=True)
    server = Served(OCR.from_pretrained, tmp_path)
    try:
        page = browser.new_page(viewport={"width": 1280, "height": 800}, locale="en-US")
        page.set_default_timeout(400_000)
        expect.set_options(timeout=400_000)

        def take(name: str) -> None:
            page.wait_for_timeout(700)
            page.screenshot(path=folder / f"{name}.jpg", type="jpeg", quality=82)

        page.goto(server.address)
        take("welcome")
        page.set_input_files("#file", ROOT / "examples/lucasta_page.jpg")
        page.wait_for_selector(".overlay .line", state="attached")
        sheet = page.locator("#stage .sheet").bounding_box()
        page.mouse.move(sheet["x"] + 0.1 * sheet["width"], sheet["y"] + 0.3 * sheet["height"])
        page.mouse.down()
        page.mouse.move(sheet["x"] + 0.95 * sheet["width"], sheet["y"] + 0.4 * sheet["height"], steps=4)
        take("drag")
        page.mouse.up()
        page.wait_for_selector(".card [data-line]")
        page.locator(".card").get_by_label("Remove").click()
        page.locator("#read").click()
        page.wait_for_selector(".card [data-line]")
        page.locator(".word").nth(30).hover()
        take("read")
        page.locator("#theme").click()
        page.locator(".line[tabindex]").nth(3).click()
        take("mend-dark")
        page.keyboard.press("Escape")
        page.locator("#theme").click()
        page.set_viewport_size({"width": 360, "height": 740})
        take("narrow")
        page.close()
    finally:
        server.stop()
