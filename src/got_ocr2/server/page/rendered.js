// The text as it would be printed: written by the server, shown where it can run nothing.

import * as api from "./api.js";
import { $, el } from "./dom.js";
import { t } from "./i18n.js";

let latest = 0;

/** Draws the readings of the page that is shown. */
export async function showRendered(readings) {
  const root = $("rendered"), own = ++latest;
  const ended = readings.filter((one) => one.text && one.state !== "running");
  const pages = ended.filter((one) => one.scope === "pages" || one.scope === "page");
  const done = pages.length ? pages.slice(0, 1) : ended;
  if (!done.length) return root.replaceChildren(el("p", { text: t("nothing_rendered") }));
  const parts = [];
  for (const reading of done) {
    try {
      parts.push(...await drawn(reading));
    } catch (error) {
      if (!(error instanceof api.Refused)) throw error;
      parts.push(el("p", { text: error.message }));
    }
    if (own !== latest) return undefined;
  }
  return root.replaceChildren(...parts);
}

async function drawn(reading) {
  const plain = !reading.options.format;
  let answer;
  try {
    answer = await api.render(reading.text, "auto", "html", plain);
  } catch (error) {
    // Scores, molecules and drawings are no pages: they have no HTML, but are drawn.
    if (!(error instanceof api.Refused) || error.status !== 400 || plain) throw error;
    answer = await api.render(reading.text, "auto", "svg", plain);
  }
  if (answer.type.startsWith("image/")) {
    const url = URL.createObjectURL(answer.blob);
    return [el("img", { src: url, alt: reading.text.slice(0, 200), onload: () => URL.revokeObjectURL(url) })];
  }
  const frame = el("iframe", { sandbox: "", title: t("as_rendered"), referrerpolicy: "no-referrer" });
  frame.srcdoc = await answer.blob.text();
  return [frame];
}
