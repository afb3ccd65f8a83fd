// The open document: its pages, what was found on them, and what was read of them.

import * as api from "./api.js";

/** Everything about a reading that the history keeps. `scope`: "page", "pages", "box" or "color". */
export function newReading(scope, page, options, place = {}) {
  return { id: crypto.randomUUID?.() ?? String(Math.random()), scope, page, options, ...place,
    state: "running", text: "", result: null, error: null, kept: {} };
}

/** Events: "page" (another is shown), "layout", "readings" (some came or went), "reading" (detail: one that changed). */
export class OpenDocument extends EventTarget {
  constructor({ key, name, blob, readings = [] }) {
    super();
    Object.assign(this, { key, name, blob, readings, pages: [], current: 1, fileId: null });
    this.layouts = new Map();
  }

  async open() {
    this.fileId = (await api.upload(this.blob, this.name)).id;
    this.pages = await api.pages(this.fileId);
  }

  /** Calls `ask(fileId)`; a file that the server has forgotten meanwhile is uploaded again. */
  async call(ask) {
    const used = this.fileId;
    try {
      return await ask(used);
    } catch (error) {
      if (!(error instanceof api.Refused) || error.status !== 404) throw error;
      await this.renew(used);
      return ask(this.fileId);
    }
  }

  async renew(used) {
    if (this.fileId === used) {
      this.renewing ??= api.upload(this.blob, this.name)
        .then((file) => { this.fileId = file.id; })
        .finally(() => { this.renewing = null; });
    }
    await this.renewing;
  }

  picture(page, width) { return this.call((id) => api.picture(id, page, width)); }

  /** Finds the lines and frames of a page, once. */
  async findLines(page) {
    if (this.layouts.has(page)) return;
    this.layouts.set(page, { lines: [], frames: [] });
    try {
      this.layouts.set(page, await this.call((id) => api.layout(id, page)));
      this.tell("layout", page);
    } catch (error) {
      this.layouts.delete(page);
      throw error;
    }
  }

  layout(page = this.current) { return this.layouts.get(page) ?? { lines: [], frames: [] }; }

  get page() { return this.pages[this.current - 1]; }

  goTo(number) {
    if (number < 1 || number > this.pages.length || number === this.current) return;
    this.current = number;
    this.tell("page");
  }

  /** The readings that are shown beside a page, whole pages first. */
  on(page = this.current) {
    const rank = { pages: 0, page: 1, color: 2, box: 2 };
    return this.readings.filter((one) => one.scope === "pages" || one.page === page)
      .sort((a, b) => rank[a.scope] - rank[b.scope]);
  }

  /** The texts of all pages that were read one by one, as one reading; null unless there are several. */
  whole() {
    const done = this.readings.filter((one) => one.scope === "page" && one.text && one.state === "done")
      .sort((a, b) => a.page - b.page);
    if (new Set(done.map((one) => one.page)).size < 2) return null;
    return { scope: "all", page: 1, count: done.length, options: done[0].options, result: done[0].result,
      text: done.map((one) => one.text).join("\n\n") };
  }

  /** Adds a reading; one of the same whole page goes, unless lines of it were mended. */
  add(reading) {
    const same = (one) => one.scope === reading.scope && (one.scope === "pages" || one.page === reading.page);
    if (reading.scope === "page" || reading.scope === "pages") {
      this.readings = this.readings.filter((one) => !same(one) || Object.keys(one.kept).length);
    } else if (reading.scope === "box") {
      reading.number = Math.max(0, ...this.readings.map((one) => one.number ?? 0)) + 1;
    }
    this.readings.push(reading);
    this.tell("readings");
  }

  remove(reading) {
    this.readings = this.readings.filter((one) => one !== reading);
    this.tell("readings");
  }

  changed(reading) { this.tell("reading", reading); }

  tell(type, detail) { this.dispatchEvent(new CustomEvent(type, { detail })); }
}
