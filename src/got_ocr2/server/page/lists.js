// Dialogs: what was read before, what was mended, the keys, and the question for a key.

import * as api from "./api.js";
import { dialog, el, saveFile, tool } from "./dom.js";
import * as history from "./history.js";
import { language, number, t } from "./i18n.js";

const when = (seconds) => new Date(seconds * 1000).toLocaleString(language === "en" ? "en" : "zh-Hans", { dateStyle: "medium", timeStyle: "short" });

export function pictureOf(blob) {
  const url = URL.createObjectURL(blob);
  return el("img", { class: "thumb", src: url, alt: "", onload: () => URL.revokeObjectURL(url) });
}

/** `open(entry)` is called with what was chosen. */
export async function showHistory(open) {
  const entries = await history.all();
  const { box, body } = dialog(t("history_title"), t("label_close"));
  const none = () => body.replaceChildren(el("p", { class: "quiet", text: t("history_none") }));
  if (!entries.length) return none();
  const list = el("ul", { class: "rows" }, ...entries.map((entry) => {
    const values = { pages: number(entry.pages), readings: number(entry.readings.length) };
    const facts = `${when(entry.at / 1000)} · ${t(entry.pages === 1 ? "history_page" : "history_pages", values)}`;
    const row = el("li", {},
      el("button", { type: "button", onclick: () => { box.close(); open(entry); } },
        entry.thumb ? pictureOf(entry.thumb) : el("span", { class: "thumb" }),
        el("span", { class: "what", text: entry.name }, el("small", { text: facts }))),
      tool("close", t("label_remove"), async () => { await history.forget(entry.key); row.remove(); if (!list.children.length) none(); }));
    return row;
  }));
  return body.replaceChildren(list, el("div", { class: "foot" },
    el("button", { class: "plain", type: "button", text: t("history_clear"), onclick: async () => { await history.forgetAll(); none(); } })));
}

/** `changed(ids)` is told which lines are left; `failed(error)` what went wrong. */
export async function showCorrections(changed, failed) {
  let kept;
  try {
    kept = (await api.corrections()).reverse();
  } catch (error) {
    return failed(error);
  }
  changed(kept.map((one) => one.id));
  const { body } = dialog(t("kept_title"), t("label_close"));
  const guard = (act) => async () => { try { await act(); } catch (error) { failed(error); } };
  const draw = () => {
    if (!kept.length) return body.replaceChildren(el("p", { class: "quiet", text: t("kept_none") }));
    return body.replaceChildren(
      el("p", { class: "quiet", text: t("kept_some", { count: number(kept.length) }) }),
      el("div", { class: "foot" }, el("button", { class: "main", type: "button", id: "zip", text: t("kept_zip"),
        onclick: guard(async () => saveFile(await api.correctionsZip(), "corrections.zip")) })),
      el("p", { class: "quiet", text: t("kept_how") }),
      el("code", { class: "block", text: "got-ocr2 finetune default corrections -o run" }),
      el("ul", { class: "rows lines" }, ...kept.slice(0, 200).map(row)));
  };
  const row = (one) => {
    const strip = el("img", { class: "strip", alt: "" });
    api.correctionPicture(one.id, 0).then((blob) => {
      strip.src = URL.createObjectURL(blob);
      strip.onload = () => URL.revokeObjectURL(strip.src);
    }).catch(failed);
    return el("li", {}, strip,
      el("span", { class: "what", text: one.text }, el("small", { text: t("from", { source: one.source, page: one.page }) })),
      tool("close", t("label_remove"), guard(async () => {
        await api.forget(one.id);
        kept = kept.filter((other) => other !== one);
        changed(kept.map((other) => other.id));
        draw();
      })));
  };
  return draw();
}

/** Resolves to the key that was typed, or to null. */
export function askForKey(wrong) {
  return new Promise((resolve) => {
    let given = null;
    const { box, body } = dialog(t("key_title"), t("label_close"), () => resolve(given));
    const input = el("input", { type: "password", name: "key", autocomplete: "off", "aria-label": t("key_title"), required: true });
    body.append(el("form", { class: "body", onsubmit: (event) => { event.preventDefault(); given = input.value.trim() || null; box.close(); } },
      wrong ? el("p", { text: t("key_wrong") }) : null, el("p", { class: "quiet", text: t("key_why") }), input,
      el("div", { class: "foot" }, el("button", { class: "main", text: t("key_use") }))));
    input.focus();
  });
}

const KEYS = [["O", "k_open"], ["R", "k_read"], ["A", "k_all"], ["B", "k_box"], ["E", "k_mend"], ["L", "k_lines"],
  ["V", "k_pan"], ["+  −  0", "k_zoom"], ["PgUp  PgDn", "k_pages"], ["C", "k_copy"], ["Esc", "k_stop"]];

export function showKeys() {
  const { body } = dialog(t("help_title"), t("label_close"));
  body.append(el("div", { class: "keys" }, ...KEYS.flatMap(([key, words]) => [
    el("span", {}, ...key.split("  ").flatMap((one, n) => [n ? " " : "", el("kbd", { text: one })])), el("span", { text: t(words) })])));
}
