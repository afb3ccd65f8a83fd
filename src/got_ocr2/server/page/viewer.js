// The large page: its picture, zoom, and where a point of the screen lies on it.

const MOST = 8, LEAST = 0.05;

/** Events: "zoom". `stage` scrolls; in it lies the sheet with the picture and the overlay. */
export class Viewer extends EventTarget {
  constructor(stage) {
    super();
    this.stage = stage;
    this.sheet = stage.querySelector(".sheet");
    this.image = stage.querySelector("img");
    this.overlay = stage.querySelector(".overlay");
    this.zoom = 1;
    this.fitting = true;
    this.page = null;
    new ResizeObserver(() => { if (this.page && this.fitting) this.fit(); }).observe(stage);
    stage.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY * 0.004), [event.clientX, event.clientY]);
    }, { passive: false });
  }

  /** Shows a page ({width, height}); `load(width)` resolves to its picture as a Blob. */
  show(page, load, label) {
    Object.assign(this, { page, load, loaded: 0 });
    this.image.removeAttribute("src");
    this.image.alt = label;
    this.overlay.setAttribute("viewBox", `0 0 ${page.width} ${page.height}`);
    this.fit();
  }

  /** All of the page on a wide screen, its width on a narrow one. */
  fit() {
    this.fitting = true;
    const style = getComputedStyle(this.stage);
    const width = this.stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = this.stage.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    const across = width / this.page.width;
    this.setZoom(this.stage.clientWidth < 560 ? across : Math.min(across, height / this.page.height, 2));
  }

  zoomBy(factor, around) {
    this.fitting = false;
    const rect = this.stage.getBoundingClientRect();
    const [x, y] = around ?? [rect.left + rect.width / 2, rect.top + rect.height / 2];
    const place = this.toPage(x, y);
    this.setZoom(this.zoom * factor);
    const [nowX, nowY] = this.toScreen(place);
    this.stage.scrollBy({ left: nowX - x, top: nowY - y, behavior: "instant" });
  }

  setZoom(zoom) {
    this.zoom = Math.min(MOST, Math.max(LEAST, zoom));
    this.sheet.style.width = `${this.page.width * this.zoom}px`;
    this.sheet.style.height = `${this.page.height * this.zoom}px`;
    this.dispatchEvent(new Event("zoom"));
    this.sharpen();
  }

  /** Loads a picture that is as sharp as the screen shows it. */
  async sharpen() {
    const { page } = this;
    const wanted = Math.min(page.width, Math.ceil((page.width * this.zoom * devicePixelRatio) / 500) * 500);
    if (wanted <= this.loaded) return;
    this.loaded = wanted;
    try {
      const url = URL.createObjectURL(await this.load(wanted));
      if (this.page !== page || this.loaded !== wanted) return URL.revokeObjectURL(url);
      const old = this.image.src;
      this.image.src = url;
      await this.image.decode().catch(() => {});
      if (old) URL.revokeObjectURL(old);
      this.dispatchEvent(new Event("picture"));
    } catch (error) {
      if (this.page === page) this.loaded = 0;
      this.dispatchEvent(new CustomEvent("failed", { detail: error }));
    }
  }

  toPage(x, y) {
    const rect = this.sheet.getBoundingClientRect();
    return [(x - rect.left) / this.zoom, (y - rect.top) / this.zoom];
  }

  toScreen([x, y]) {
    const rect = this.sheet.getBoundingClientRect();
    return [rect.left + x * this.zoom, rect.top + y * this.zoom];
  }

  /** Scrolls so that a box of the page is seen. */
  reveal(box) {
    const rect = this.stage.getBoundingClientRect();
    const [x1, y1] = this.toScreen([box[0], box[1]]), [x2, y2] = this.toScreen([box[2], box[3]]);
    const by = (from, to, low, high) => (from < low ? from - low - 30 : to > high ? Math.min(to - high + 30, from - low) : 0);
    this.stage.scrollBy({ left: by(x1, x2, rect.left, rect.right), top: by(y1, y2, rect.top, rect.bottom - 60), behavior: "smooth" });
  }
}
