// The strip of small pages.

import { $, el } from "./dom.js";
import { t } from "./i18n.js";

const WIDTH = 152;

export class Thumbnails {
  constructor() {
    this.root = $("thumbnails");
    this.urls = [];
  }

  show(doc) {
    for (const url of this.urls) URL.revokeObjectURL(url);
    this.urls = [];
    this.doc = doc;
    this.seen?.disconnect();
    this.seen = new IntersectionObserver((entries) => {
      for (const entry of entries.filter((one) => one.isIntersecting)) {
        this.seen.unobserve(entry.target);
        this.load(doc, Number(entry.target.dataset.page), entry.target.querySelector("img"));
      }
    }, { root: this.root, rootMargin: "200px" });
    this.root.replaceChildren(...doc.pages.map((page) => this.button(page)));
    this.root.hidden = doc.pages.length < 2;
    this.update();
  }

  button({ page, width, height }) {
    const picture = el("img", { alt: "", width: 76, height: Math.round((76 * height) / width) });
    const button = el("button", { type: "button", "data-page": page, onclick: () => this.doc.goTo(page) },
      el("span", { class: "pic" }, picture), el("span", { class: "no", text: String(page) }));
    this.seen.observe(button);
    return button;
  }

  async load(doc, page, image) {
    try {
      const url = URL.createObjectURL(await doc.picture(page, WIDTH));
      this.urls.push(url);
      image.src = url;
    } catch {
      // The large page says what is wrong; a thumbnail stays white.
    }
  }

  update() {
    for (const button of this.root.children) {
      const page = Number(button.dataset.page), current = page === this.doc.current;
      button.setAttribute("aria-current", String(current));
      button.setAttribute("aria-label", t("label_number", { page }));
      button.lastChild.classList.toggle("done", this.doc.readings.some((one) => one.scope === "page" && one.page === page && one.state === "done"));
      if (current) button.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
  }
}
