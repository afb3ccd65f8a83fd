// Mending: a line's picture, its text to be put right, and on to the next line.

import * as api from "./api.js";
import { el } from "./dom.js";
import { quadOf } from "./geometry.js";
import { t } from "./i18n.js";
import { linesOf, replaceLine } from "./lines.js";

/** `on`: {kept(), shown(part), failed(error, retry), status(text)}. */
export class Mending {
  constructor(texts, viewer, on) {
    Object.assign(this, { texts, viewer, on, open: null });
  }

  /** Opens a line in place of its text. */
  edit(doc, reading, line) {
    this.close();
    const row = this.texts.row(reading, line.index);
    if (!row) return;
    const box = el("textarea", { rows: 1, "aria-label": t("mend_label"), spellcheck: "false", autocomplete: "off" });
    box.value = line.text;
    const grow = () => { box.style.height = "auto"; box.style.height = `${box.scrollHeight + 2}px`; };
    box.addEventListener("input", grow);
    const button = (key, label, act) => el("button", { type: "button", onclick: act }, el("kbd", { text: key }), label);
    const form = el("div", { class: "mending" }, this.picture(line), box,
      el("footer", {}, button("⏎", t("mend_keep"), () => this.keep()), button("↓", t("mend_next"), () => this.next()),
        button("Esc", t("mend_close"), () => this.close(true))));
    form.addEventListener("keydown", (event) => this.key(event));
    row.replaceWith(form);
    this.open = { doc, reading, line, row, form, box };
    grow();
    box.focus();
    this.on.shown(line);
    form.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  key(event) {
    if (event.isComposing) return;
    const act = { Enter: () => this.keep(), Escape: () => this.close(true), ArrowDown: () => this.next(), ArrowUp: () => this.next(-1) }[event.key];
    if (event.target === this.open?.box && act) {
      event.preventDefault();
      act();
    }
    event.stopPropagation();
  }

  /** Keeps the line as it now stands, on the page and on the server; then the next. */
  async keep() {
    const { doc, reading, line, box } = this.open;
    const text = box.value.split(/\s+/).filter(Boolean).join(" ");
    if (!text) return;
    box.disabled = true;
    try {
      const page = reading.page;
      const kept = await doc.call((id) => api.correct(id, page, line.box, line.angle ?? 0, text));
      reading.kept[line.index] = kept.id;
      replaceLine(reading, line, text);
    } catch (error) {
      box.disabled = false;
      box.focus();
      this.on.failed(error);
      return;
    }
    this.open = null;
    doc.changed(reading);
    this.on.kept();
    this.on.status(t("mend_kept"));
    this.editAt(doc, reading, line.index, 1);
  }

  next(by = 1) {
    const { doc, reading, line } = this.open;
    this.close();
    this.editAt(doc, reading, line.index, by);
  }

  editAt(doc, reading, index, by) {
    const lines = linesOf(reading);
    for (let at = index + by; at >= 0 && at < lines.length; at += by) {
      if (lines[at].box && lines[at].text) return this.edit(doc, reading, lines[at]);
    }
    this.on.status(t("mend_done"));
    this.texts.row(reading, index)?.focus();
  }

  /** Puts the open line, with what was typed, back into a text that was drawn anew. */
  restore() {
    if (!this.open) return;
    const { reading, line, form, box } = this.open;
    const row = this.texts.row(reading, line.index);
    if (!row) {
      this.open = null;
      return;
    }
    row.replaceWith(form);
    this.open.row = row;
    box.focus();
  }

  close(focus = false) {
    if (!this.open) return;
    const { row, form } = this.open;
    this.open = null;
    form.replaceWith(row);
    if (focus) row.focus();
  }

  /** The line cut out of the picture that is shown, turned straight. */
  picture(line) {
    const { image, page } = this.viewer;
    const canvas = el("canvas");
    if (!image.naturalWidth || !page) return canvas;
    const scale = image.naturalWidth / page.width;
    const [a, b, , d] = quadOf(line.box, line.angle ?? 0);
    const width = Math.hypot(b[0] - a[0], b[1] - a[1]), height = Math.hypot(d[0] - a[0], d[1] - a[1]);
    const room = 0.25 * height;
    canvas.width = Math.max(1, Math.round((width + 2 * room) * scale));
    canvas.height = Math.max(1, Math.round((height + 2 * room) * scale));
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.translate(room * scale, room * scale);
    pen.rotate((-(line.angle ?? 0) * Math.PI) / 180);
    pen.translate(-a[0] * scale, -a[1] * scale);
    pen.drawImage(image, 0, 0);
    return canvas;
  }
}
