// Text as files.

import * as api from "./api.js";
import { dialog, el, saveFile } from "./dom.js";
import { t } from "./i18n.js";
import { optionsOf } from "./reading.js";

const PAGE = ["txt", "md", "docx", "html", "pdf", "latex", "json", "csv", "xlsx"];
const FIGURES = ["svg", "png", "musicxml", "midi", "kern", "mol", "smiles", "inchi", "tikz"];
const PLACES = ["searchable-pdf", "hocr", "alto", "page-xml", "tsv"];
const SUFFIX = { latex: "tex", midi: "mid", kern: "krn", smiles: "smi", alto: "alto.xml", "page-xml": "page.xml", "searchable-pdf": "searchable.pdf" };

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages that came over plain HTTP from another machine have no clipboard of that kind.
    const box = el("textarea");
    box.value = text;
    document.body.append(box);
    box.select();
    document.execCommand("copy");
    box.remove();
  }
}

/** Asks for a format; `failed(error)` is told of what the server refuses. */
export function download(doc, reading, failed) {
  const { body, box } = dialog(t("download_title"), t("label_close"));
  const stem = doc.name.replace(/\.[^.]+$/, "") || "page";
  const save = async (format, fetching) => {
    for (const button of body.querySelectorAll("button")) button.disabled = true;
    try {
      saveFile(await fetching(), `${stem}.${SUFFIX[format] ?? format}`);
      box.close();
    } catch (error) {
      box.close();
      failed(error);
    }
  };
  const written = async (format) => {
    const plain = !reading.options.format;
    return (await api.render(reading.text, plain ? "page" : "auto", format, plain)).blob;
  };
  const placed = (format) => doc.call((id) => api.readAs(id, optionsOf(reading), format));
  const choice = (format, fetching) => el("button", { type: "button", "data-format": format, onclick: () => save(format, () => fetching(format)) },
    el("b", { text: format }), el("small", { text: t(`f_${format}`) }));
  body.append(el("p", { class: "quiet", text: t("download_text") }),
    el("div", { class: "formats" }, ...PAGE.concat(reading.options.format ? FIGURES : []).map((format) => choice(format, written))));
  if (reading.result?.lines) {
    body.append(el("p", { class: "quiet", text: t("download_places") }),
      el("div", { class: "formats" }, ...PLACES.map((format) => choice(format, placed))));
  }
}
