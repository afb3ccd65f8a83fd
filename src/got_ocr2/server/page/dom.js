// Elements by hand. Text always goes in as text; nothing here takes HTML.

export const $ = (id) => document.getElementById(id);

/** el("p", {class: "quiet", text: "..."}, child, ...): `on*` are listeners, other keys attributes. */
export function el(tag, given = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "text") node.textContent = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag, attributes = {}) {
  const node = document.createElementNS(SVG, tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/** A button that shows a symbol of index.html and says `label` to those who cannot see it. */
export function tool(symbol, label, onclick) {
  const picture = svg("svg");
  picture.append(svg("use", { href: `#i-${symbol}` }));
  return el("button", { class: "tool", type: "button", "aria-label": label, title: label, onclick }, picture);
}

/** A dialog that is gone from the document once it is closed; returns its body to be filled. */
export function dialog(title, closeLabel, onclose = () => {}) {
  const body = el("div", { class: "body" });
  const box = el("dialog", { "aria-label": title },
    el("header", {}, el("h2", { text: title }), tool("close", closeLabel, () => box.close())), body);
  box.addEventListener("close", () => { box.remove(); onclose(); });
  box.addEventListener("click", (event) => { if (event.target === box) box.close(); });
  document.body.append(box);
  box.showModal();
  return { box, body };
}

export function saveFile(blob, name) {
  const url = URL.createObjectURL(blob);
  el("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
