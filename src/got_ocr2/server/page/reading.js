// Asks the server to read, and lets the text stream into readings of the document.

import * as api from "./api.js";
import { newReading } from "./document.js";

const running = new Set();

export const busy = () => running.size > 0;
export function stop() { for (const controller of running) controller.abort(); }

/** `ask`: {scope, page, box?, color?, options: {format, crop, boxes, multi_page}}; resolves when it has ended. */
export async function start(doc, ask) {
  const first = newReading(ask.scope === "all" ? "page" : ask.scope, ask.page, ask.options,
    { box: ask.box, color: ask.color });
  const flow = ask.scope === "all" ? new PageByPage(doc, ask) : new One(doc, first);
  const controller = new AbortController();
  running.add(controller);
  doc.tell("busy");
  try {
    await doc.call(async (fileId) => {
      for await (const event of api.read(fileId, optionsOf(ask), controller.signal)) flow.take(event);
    });
    flow.end();
  } catch (error) {
    flow.fail(error.name === "AbortError" ? null : error);
    if (!(error instanceof api.Refused) && error.name !== "AbortError" && !(error instanceof api.Lost)) throw error;
  } finally {
    running.delete(controller);
    doc.tell("busy");
  }
}

/** The options of OCR.read for what is asked. */
export function optionsOf({ scope, page, box, color, options }) {
  const asked = { confidence: "word" };
  for (const name of ["format", "crop", "boxes"]) if (options[name]) asked[name] = true;
  if (scope === "pages") Object.assign(asked, { multi_page: true, boxes: undefined });
  else if (scope !== "all") asked.pages = String(page);
  if (box) asked.box = box;
  if (color) asked.color = color;
  return asked;
}

class One {
  constructor(doc, reading) {
    this.doc = doc;
    this.reading = reading;
    doc.add(reading);
  }

  take(event) {
    const { reading } = this;
    if (event.type === "text") reading.text += event.text;
    else if (event.type === "page") settle(reading, event.result);
    else if (event.type === "error") this.fail(new api.Refused(0, event.error.message, event.error.type));
    else return;
    this.doc.changed(reading);
  }

  end() {}

  fail(error) {
    const { reading } = this;
    if (reading.state !== "running") return;
    reading.state = error ? "failed" : "stopped";
    reading.error = error && { lost: error instanceof api.Lost, message: error.message, retryAfter: error.retryAfter };
    this.doc.changed(reading);
  }
}

/** Every page of the document becomes a reading of its own when its text begins. */
class PageByPage {
  constructor(doc, ask) {
    Object.assign(this, { doc, ask, flows: new Map() });
    this.flow(ask.page);
  }

  flow(page) {
    if (!this.flows.has(page)) {
      this.flows.set(page, new One(this.doc, newReading("page", page, this.ask.options)));
    }
    return this.flows.get(page);
  }

  take(event) {
    if (event.page !== undefined) this.flow(event.page).take(event);
    else if (event.type === "error") this.fail(new api.Refused(0, event.error.message, event.error.type));
  }

  end() {}

  fail(error) { for (const flow of this.flows.values()) flow.fail(error); }
}

function settle(reading, result) {
  reading.result = result;
  reading.text = result.text;
  reading.state = result.error ? "failed" : "done";
  reading.error = result.error && { message: result.error.message };
}
