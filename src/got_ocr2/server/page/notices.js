// What the person must be told: one notice at a time, and a line for screen readers.

import { Lost, Refused } from "./api.js";
import { $ } from "./dom.js";
import { t } from "./i18n.js";

/** Shows a sentence; with `retry` a button that calls it. */
export function tell(sentence, retry = null) {
  const box = $("notice"), again = box.querySelector(".plain");
  box.querySelector("p").textContent = sentence;
  again.hidden = !retry;
  again.onclick = () => { quiet(); retry(); };
  box.hidden = false;
}

export function quiet() { $("notice").hidden = true; }

export function status(sentence) { $("status").textContent = sentence; }

/** Says what went wrong in one sentence. */
export function sentenceOf(error) {
  if (error instanceof Lost) return t("lost");
  if (error instanceof Refused) return error.retryAfter ? `${error.message} ${t("wait", { seconds: error.retryAfter })}` : error.message;
  return t("failed", { why: error.message });
}

export function tellError(error, retry = null) {
  tell(sentenceOf(error), error instanceof Refused && error.status < 429 ? null : retry);
  if (!(error instanceof Lost) && !(error instanceof Refused)) console.error(error);
}

$("notice").querySelector(".tool").addEventListener("click", quiet);
