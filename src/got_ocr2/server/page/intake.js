// How documents come in: chosen, dropped, pasted.

import { $ } from "./dom.js";

const usable = (file) => file.type.startsWith("image/") || file.type === "application/pdf"
  || /\.(pdf|png|jpe?g|jp2|jxl|tiff?|webp|bmp|gif|heic|heif|avif|p[bgnp]m|pcx|tga)$/i.test(file.name);

/** `take(file, others)` is called with the first document and how many more there were; `none()` where there was none. */
export function listen(take, none) {
  const given = (files) => {
    const known = [...files].filter(usable);
    // A file of an unknown sort goes to the server, which says what is wrong with it.
    const all = known.length ? known : [...files];
    if (all.length) take(all[0], all.length - 1);
    else none();
  };
  const chooser = $("file");
  chooser.addEventListener("change", () => {
    if (chooser.files.length) given(chooser.files);
    chooser.value = "";
  });
  let depth = 0;
  const over = (event) => event.dataTransfer?.types.includes("Files");
  addEventListener("dragenter", (event) => {
    if (!over(event)) return;
    depth++;
    document.body.classList.add("over");
  });
  addEventListener("dragleave", (event) => {
    if (over(event) && --depth <= 0) document.body.classList.remove("over");
  });
  addEventListener("dragover", (event) => { if (over(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    depth = 0;
    document.body.classList.remove("over");
    if (!over(event)) return;
    event.preventDefault();
    given(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => {
    if (event.target.closest?.("input, textarea")) return;
    event.preventDefault();
    given(event.clipboardData?.files ?? []);
  });
}

export function choose() { $("file").click(); }
