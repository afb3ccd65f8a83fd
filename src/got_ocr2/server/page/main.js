// Puts the parts together: what happens when.

import * as api from "./api.js";
import { takePicture } from "./camera.js";
import { OpenDocument } from "./document.js";
import { $, el } from "./dom.js";
import { copy, download } from "./downloads.js";
import * as history from "./history.js";
import { changeLanguage, fill, number, otherLanguage, t } from "./i18n.js";
import { withWholeLines } from "./geometry.js";
import { choose, listen } from "./intake.js";
import { listenForKeys } from "./keys.js";
import { linesOf } from "./lines.js";
import { askForKey, pictureOf, showCorrections, showHistory, showKeys } from "./lists.js";
import { Mending } from "./mending.js";
import { quiet, sentenceOf, status, tell, tellError } from "./notices.js";
import { Overlay } from "./overlay.js";
import { busy, start, stop } from "./reading.js";
import { showRendered } from "./rendered.js";
import { Selection } from "./selection.js";
import { Texts } from "./text.js";
import { applyTheme, switchTheme } from "./theme.js";
import { Thumbnails } from "./thumbnails.js";
import { Viewer } from "./viewer.js";

let doc = null;
let rendering = false;

const viewer = new Viewer($("stage"));
const overlay = new Overlay(viewer.overlay);
const thumbnails = new Thumbnails();
const texts = new Texts({
  word: (part) => overlay.spot(part),
  mend: (reading, line) => mending.edit(doc, reading, line),
  copy: async (reading) => { await copy(reading.text); status(t("copied")); },
  download: (reading) => download(doc, reading, tellError),
  remove: (reading) => doc.remove(reading),
  again: (reading) => { if (reading.state !== "done") doc.remove(reading); read(reading); },
});
const mending = new Mending(texts, viewer, {
  kept: countCorrections,
  shown: (line) => { overlay.spot(line); viewer.reveal(line.box); },
  failed: (error) => tellError(error),
  status,
});
const selection = new Selection(viewer, { box: readBox, click: clicked, move: pointed, draft: (box) => overlay.draft(box) });

// --- documents ---

async function open(file, name, readings = [], key = crypto.randomUUID?.() ?? String(Math.random())) {
  stop();
  quiet();
  status(t("opening", { name }));
  $("name").textContent = t("opening", { name });
  const next = new OpenDocument({ key, name, blob: file, readings });
  try {
    await next.open();
  } catch (error) {
    $("name").textContent = doc?.name ?? "";
    const again = error instanceof api.Lost || error.status >= 429 ? () => open(file, name, readings, key) : null;
    return tell(error instanceof api.Lost ? t("lost") : t("not_opened", { name, why: sentenceOf(error) }), again);
  }
  doc = next;
  status("");
  $("name").textContent = document.title = name;
  $("desk").classList.remove("empty");
  for (const part of document.querySelectorAll(".viewer, .reading")) part.hidden = false;
  $("hint").classList.remove("gone");
  const own = (act) => (event) => { if (doc === next) act(event); };
  doc.addEventListener("page", own(showPage));
  doc.addEventListener("layout", own((event) => { if (event.detail === doc.current) { redraw(); showFrames(); } }));
  doc.addEventListener("readings", own(() => { redraw(); keepSoon(); }));
  doc.addEventListener("reading", own((event) => readingChanged(event.detail)));
  doc.addEventListener("busy", own(showActions));
  thumbnails.show(doc);
  showPage();
  // Readers of lines give places anyway.
  api.ready().then(({ reads }) => { $("placed").hidden = reads === "lines"; }).catch(() => {});
}

function showPage() {
  const shown = doc, { page } = doc;
  mending.close();
  viewer.show(page, (width) => shown.picture(page.page, width), t("label_number", { page: page.page }));
  thumbnails.update();
  redraw();
  showFrames();
  showActions();
  doc.findLines(page.page).catch((error) => {
    if (doc === shown) tell(error instanceof api.Lost ? t("lost") : t("no_layout", { why: sentenceOf(error) }), showPage);
  });
}

let keeping = 0;
function keepSoon() {
  clearTimeout(keeping);
  const kept = doc;
  keeping = setTimeout(async () => {
    try {
      kept.thumb ??= await kept.picture(1, 200);
      await history.keep(kept, kept.thumb);
    } catch (error) {
      console.warn("The history was not kept:", error);
    }
  }, 400);
}

async function showRecent() {
  const entries = (await history.all().catch(() => [])).slice(0, 6);
  $("recent").hidden = !entries.length;
  $("recent").querySelector("ul").replaceChildren(...entries.map((entry) => el("li", {},
    el("button", { type: "button", title: entry.name, onclick: () => reopen(entry) },
      entry.thumb ? pictureOf(entry.thumb) : null, el("span", { text: entry.name })))));
}

const reopen = (entry) => open(entry.blob, entry.name, entry.readings, entry.key);

async function camera() {
  try {
    const shot = await takePicture();
    if (shot) open(shot, `camera-${new Date().toISOString().slice(0, 19).replaceAll(":", "-")}.jpg`);
  } catch (error) {
    tell(t("camera_none", { why: error.message }));
  }
}

// --- reading ---

function asked() {
  const form = $("options").elements;
  return { format: form.format.value === "formatted", crop: form.crop.checked, boxes: form.boxes.checked, multi_page: form.multi_page.checked };
}

async function read({ scope, page, box, color, options }) {
  $("hint").classList.add("gone");
  quiet();
  try {
    await start(doc, { scope, page, box, color, options });
  } catch (error) {
    tellError(error);
  }
}

function readPage() { if (doc) read({ scope: "page", page: doc.current, options: asked() }); }

function readAll() {
  if (!doc || doc.pages.length < 2) return;
  const options = asked();
  read({ scope: options.multi_page ? "pages" : "all", page: options.multi_page ? doc.current : 1, options });
}

function readBox(drawn) {
  const box = inPage(withWholeLines(drawn, doc.layout().lines));
  read({ scope: "box", page: doc.current, box, options: { ...asked(), multi_page: false } });
}

function readFrame(color) { read({ scope: "color", page: doc.current, color, options: { ...asked(), multi_page: false } }); }

function readingChanged(reading) {
  if (mending.open?.reading === reading) mending.close();
  texts.changed(reading);
  if (reading.state === "running") return;
  redraw();
  const what = texts.title(reading);
  status(reading.state === "failed" ? t("said_failed", { what, why: reading.error.message }) : t("said_done", { what }));
  keepSoon();
}

function redraw() {
  overlay.update(doc);
  texts.update(doc);
  mending.restore();
  thumbnails.update();
  if (rendering) showRendered(doc.on()).catch(tellError);
}

function showActions() {
  const count = doc?.pages.length ?? 0;
  $("read-all").hidden = count < 2;
  $("as-one").hidden = count < 2;
  $("read-all").textContent = t($("options").elements.multi_page.checked ? "read_as_one" : "read_all", { count: number(count) });
  $("stop").hidden = !busy();
}

function showFrames() {
  const colors = [...new Set(doc.layout().frames.map((frame) => frame.color))];
  $("frames").replaceChildren(...colors.map((color) => el("button",
    { type: "button", class: color, text: t(`framed_${color}`), onclick: () => readFrame(color) })));
}

// --- the page under the pointer ---

function clicked(point) {
  const thing = overlay.at(point);
  if (!thing) return;
  if (thing.kind === "frame") readFrame(thing.color);
  else if (thing.reading) mending.edit(doc, thing.reading, thing.line);
  else readBox(roomAround(thing.box));
}

/** A found line with the room that finding it again needs. */
function roomAround([x1, y1, x2, y2]) {
  const room = 0.35 * Math.min(x2 - x1, y2 - y1);
  return [Math.floor(x1 - room), Math.floor(y1 - room), Math.ceil(x2 + room), Math.ceil(y2 + room)];
}

function inPage([x1, y1, x2, y2]) {
  return [Math.max(0, x1), Math.max(0, y1), Math.min(doc.page.width, x2), Math.min(doc.page.height, y2)];
}

function pointed(point) {
  const thing = point && overlay.at(point);
  overlay.near(thing);
  viewer.stage.classList.toggle("over-line", Boolean(thing));
  if (thing?.reading) texts.near(thing.reading, thing.line.index);
  else texts.clearNear();
}

// --- corrections ---

async function countCorrections() {
  try {
    showCount((await api.corrections()).length);
  } catch {
    // The button that opens the list says what is wrong.
  }
}

function showCount(count) {
  $("kept-count").hidden = !count;
  $("kept-count").textContent = count > 999 ? "…" : String(count);
}

function correctionsLeft(ids) {
  showCount(ids.length);
  if (!doc) return;
  for (const reading of doc.readings) {
    for (const [index, id] of Object.entries(reading.kept)) if (!ids.includes(id)) delete reading.kept[index];
  }
  redraw();
}

function mendFirst() {
  const reading = doc?.on().find((one) => one.result?.lines?.length);
  const line = reading && linesOf(reading).find((one) => one.box);
  if (line) mending.edit(doc, reading, line);
}

// --- what is shown ---

function show(rendered) {
  rendering = rendered;
  for (const [tab, chosen] of [["tab-text", !rendered], ["tab-rendered", rendered]]) {
    $(tab).setAttribute("aria-selected", String(chosen));
    $(tab).tabIndex = chosen ? 0 : -1;
  }
  $("texts").hidden = rendered;
  $("rendered").hidden = !rendered;
  if (rendered && doc) showRendered(doc.on()).catch(tellError);
}

function setPanning(panning) {
  selection.setPanning(panning);
  $("draw").setAttribute("aria-pressed", String(!panning));
  $("pan").setAttribute("aria-pressed", String(panning));
}

function toggleLines() {
  const hidden = viewer.overlay.classList.toggle("hide-lines");
  $("lines").setAttribute("aria-pressed", String(!hidden));
}

function shade() { $("texts").classList.toggle("doubts", $("doubt").checked); }

function nameLanguage() { $("language").textContent = otherLanguage(); }

const clicks = {
  open: choose, choose, camera, take: camera, help: showKeys, theme: switchTheme, read: readPage, "read-all": readAll, stop,
  history: () => showHistory(reopen).catch(tellError),
  kept: () => showCorrections(correctionsLeft, tellError),
  language: () => {
    changeLanguage();
    nameLanguage();
    if (doc) { mending.close(); redraw(); showFrames(); showActions(); }
  },
  draw: () => setPanning(false), pan: () => setPanning(true), lines: toggleLines,
  smaller: () => viewer.zoomBy(1 / 1.25), larger: () => viewer.zoomBy(1.25), fit: () => viewer.fit(),
  "tab-text": () => show(false), "tab-rendered": () => show(true),
};
for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", act);
$("doubt").addEventListener("change", shade);
$("options").addEventListener("change", showActions);
for (const tab of ["tab-text", "tab-rendered"]) {
  $(tab).addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    show(!rendering);
    $(rendering ? "tab-rendered" : "tab-text").focus();
  });
}
viewer.addEventListener("zoom", () => { $("zoom").textContent = `${Math.round(viewer.zoom * 100)} %`; });
viewer.addEventListener("failed", (event) => tellError(event.detail, () => viewer.sharpen()));

const withDoc = (act) => () => { if (doc) act(); };
listenForKeys({
  o: choose, r: readPage, a: readAll, e: withDoc(mendFirst), l: withDoc(toggleLines), "?": showKeys,
  b: withDoc(() => { setPanning(false); selection.begin(); }),
  v: withDoc(() => setPanning(!selection.panning)),
  "+": withDoc(() => viewer.zoomBy(1.25)), "=": withDoc(() => viewer.zoomBy(1.25)), "-": withDoc(() => viewer.zoomBy(1 / 1.25)),
  0: withDoc(() => viewer.fit()),
  PageDown: withDoc(() => doc.goTo(doc.current + 1)), PageUp: withDoc(() => doc.goTo(doc.current - 1)),
  c: withDoc(async () => { await copy(doc.on().map((one) => one.text).join("\n\n")); status(t("copied")); }),
  Escape: () => (busy() ? stop() : quiet()),
});
listen((file, others) => {
  open(file, file.name || "pasted.png").then(() => {
    if (others > 0) tell(t("one_at_a_time", { name: file.name, count: number(others) }));
  });
}, () => tell(t("no_file")));

applyTheme();
fill();
nameLanguage();
shade();
api.onKeyNeeded(askForKey);
showRecent();
countCorrections();
