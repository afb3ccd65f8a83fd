// Which language the page speaks; the words are in words.js.

import { WORDS } from "./words.js";

const KEY = "got-ocr2-language";
const NAMES = { en: "EN", zh: "中文" };

export let language = localStorage.getItem(KEY) ?? (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
if (!(language in NAMES)) language = "en";

export function otherLanguage() { return NAMES[language === "en" ? "zh" : "en"]; }

/** The words for a key; {name} is replaced from `values`. */
export function t(key, values = {}) {
  const words = WORDS[key];
  if (!words) throw new Error(`No words for ${key}.`);
  return words[language === "en" ? 0 : 1].replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** Fills `data-text` and `data-label` of a part of the document. */
export function fill(root = document) {
  document.documentElement.lang = language === "en" ? "en" : "zh-Hans";
  for (const node of root.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of root.querySelectorAll("[data-label]")) {
    const label = t(`label_${node.dataset.label}`);
    node.setAttribute("aria-label", label);
    if (node.tagName === "BUTTON") node.title = label;
  }
}

export function changeLanguage() {
  language = language === "en" ? "zh" : "en";
  localStorage.setItem(KEY, language);
  fill();
}

export const number = (value) => value.toLocaleString(language === "en" ? "en" : "zh-Hans");
