// The text beside the page: a card for each reading, its lines and words.

import { $, el, tool } from "./dom.js";
import { number, t } from "./i18n.js";
import { doubt, linesOf, partsOf, unread } from "./lines.js";

const percent = (value) => number(Math.round(100 * value));

/** `on`: {word(part), line(reading, line), mend(reading, line), copy, download, remove, again: (reading)}. */
export class Texts {
  constructor(on) {
    Object.assign(this, { root: $("texts"), on, cards: new Map(), doc: null });
    const part = (event) => this.partAt(event.target);
    this.root.addEventListener("pointerover", (event) => this.pointed(part(event)));
    this.root.addEventListener("pointerleave", () => this.pointed(null));
    this.root.addEventListener("focusin", (event) => this.pointed(part(event)));
    this.root.addEventListener("click", (event) => {
      const at = part(event);
      if (at?.line.box && getSelection().isCollapsed) on.mend(at.reading, at.line);
    });
    this.root.addEventListener("keydown", (event) => this.key(event));
  }

  update(doc) {
    this.doc = doc;
    this.cards.clear();
    const cards = doc.on().map((reading) => this.card(reading));
    const whole = doc.whole();
    if (whole) cards.unshift(this.wholeRow(whole));
    this.root.replaceChildren(...(cards.length ? cards : [el("p", { class: "quiet", text: t("nothing_yet") })]));
  }

  /** Text that streams is added to the card; a reading that has ended is drawn anew. */
  changed(reading) {
    const known = this.cards.get(reading.id);
    if (!known) return;
    if (reading.state === "running" && known.stream) {
      known.stream.append(reading.text.slice(known.shown));
      known.shown = reading.text.length;
    } else {
      const old = known.node;
      old.replaceWith(this.card(reading));
    }
  }

  /** What was read of several pages, to be taken along together. */
  wholeRow(whole) {
    return el("p", { class: "whole" }, el("span", { text: t("read_so_far", { count: number(whole.count) }) }),
      tool("copy", t("label_copy_all"), () => this.on.copy(whole)), tool("save", t("label_download_all"), () => this.on.download(whole)));
  }

  title(reading) {
    if (reading.scope === "pages") return t("all_pages");
    if (reading.scope === "page") return t("whole_page", { page: reading.page });
    return reading.scope === "color" ? t(`framed_${reading.color}`) : t("region", { number: reading.number });
  }

  card(reading) {
    const words = el("div", { class: "words" });
    const card = { node: null, words, stream: null, shown: 0, lines: [] };
    this.cards.set(reading.id, card);
    if (reading.result) this.fillLines(card, reading);
    else this.fillStream(card, reading);
    const actions = reading.state === "running" ? [] : [
      reading.text ? tool("copy", t("label_copy"), () => this.on.copy(reading)) : null,
      reading.text ? tool("save", t("label_download"), () => this.on.download(reading)) : null,
      tool("again", t("label_again"), () => this.on.again(reading)),
      tool("close", t("label_remove"), () => this.on.remove(reading)),
    ];
    card.node = el("article", { class: "card", "aria-label": this.title(reading), "aria-busy": String(reading.state === "running") },
      el("header", {}, el("h2", { text: this.title(reading) }), el("span", { class: "facts", text: this.facts(reading) }), ...actions.filter(Boolean)),
      this.said(reading), words);
    return card.node;
  }

  facts(reading) {
    const { result, state } = reading;
    if (state === "running") return t("reading");
    if (state === "stopped") return t("stopped");
    if (!result || result.error) return "";
    const seconds = number(Number(result.seconds.toPrecision(2)));
    const sure = percent(result.confidence ?? 0);
    if (!result.text) return "";
    return result.lines ? t("facts", { lines: number(result.lines.length), seconds, sure }) : t("facts_text", { seconds, sure });
  }

  /** What must be said of a reading: why it failed, where it ends, what was left out. */
  said(reading) {
    const { error, result } = reading;
    if (error) {
      const message = error.lost ? t("lost_reading") : error.message;
      const wait = error.retryAfter ? ` ${t("wait", { seconds: error.retryAfter })}` : "";
      return el("p", { class: "said", text: message + wait },
        el("button", { class: "plain", type: "button", text: t("retry"), onclick: () => this.on.again(reading) }));
    }
    if (!result) return null;
    if (result.status !== "complete") return el("p", { class: "said mild", text: t(result.status) });
    const left = reading.scope === "page" && result.lines ? unread(this.doc).filter((line) => line.left).length : 0;
    return left ? el("p", { class: "said mild left", text: t("skipped", { count: left }) }) : null;
  }

  fillStream(card, reading) {
    card.words.classList.toggle("stream", reading.state === "running");
    card.words.textContent = reading.text;
    card.stream = card.words;
    card.shown = reading.text.length;
  }

  fillLines(card, reading) {
    card.lines = linesOf(reading);
    let block = card.lines[0]?.block;
    card.words.replaceChildren(...card.lines.map((line) => {
      const parts = partsOf(line).map(({ text, word }) => (word
        ? el("span", { class: `word d${doubt(word.confidence)}`, "data-word": line.words.indexOf(word), text,
            title: t("doubt_of", { sure: percent(word.confidence) }) })
        : text));
      const begins = line.block !== block && line.text !== "";
      if (line.text !== "") block = line.block;
      const classes = ["line", begins && "block", reading.kept[line.index] && "kept", line.unsupported && "unsupported"].filter(Boolean).join(" ");
      return el("div", { class: classes, "data-reading": reading.id, "data-line": line.index, title: line.unsupported ? t("unsupported") : undefined, tabindex: line.box ? 0 : undefined, role: line.box ? "button" : undefined }, ...parts);
    }));
    card.words.classList.toggle("source", Boolean(reading.options.format));
  }

  partAt(node) {
    const row = node.closest?.("[data-line]");
    if (!row || !this.root.contains(row)) return null;
    const reading = this.doc.readings.find((one) => one.id === row.dataset.reading);
    const line = this.cards.get(reading?.id)?.lines[Number(row.dataset.line)];
    if (!line) return null;
    const word = node.closest("[data-word]");
    return { reading, line, word: word ? line.words[Number(word.dataset.word)] : null };
  }

  pointed(at) {
    this.on.word(at?.word?.box ? at.word : at?.line.box ? at.line : null);
  }

  key(event) {
    const at = this.partAt(event.target);
    if (!at || event.target.closest(".mending")) return;
    if (event.key === "Enter" || event.key === "F2") this.on.mend(at.reading, at.line);
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      const rows = [...this.root.querySelectorAll(".line[tabindex]")];
      rows[rows.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)]?.focus();
    } else return;
    event.preventDefault();
  }

  row(reading, index) { return this.root.querySelector(`[data-reading="${reading.id}"][data-line="${index}"]`); }

  /** Marks the line that the pointer is over on the page. */
  near(reading, index) {
    for (const row of this.root.querySelectorAll(".line.near")) row.classList.remove("near");
    this.row(reading, index)?.classList.add("near");
  }

  clearNear() { for (const row of this.root.querySelectorAll(".line.near")) row.classList.remove("near"); }
}
