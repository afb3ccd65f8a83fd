// Pointer and keys on the page: drawing a box, moving and pinching the page, clicking.

import { boxBetween } from "./geometry.js";

const CLICK = 5; // screen pixels that a pointer may move in a click

/** `on`: {box(box), click(point), move(point), draft(box or null)}, all in pixels of the page. */
export class Selection {
  constructor(viewer, on) {
    Object.assign(this, { viewer, on, panning: false, space: false, pointers: new Map(), start: null, keyed: null });
    const { stage } = viewer;
    const listen = (type, method) => stage.addEventListener(type, (event) => viewer.page && this[method](event));
    listen("pointerdown", "down");
    listen("pointermove", "moved");
    listen("pointerup", "up");
    listen("pointercancel", "cancel");
    stage.addEventListener("pointerleave", () => on.move(null));
    stage.addEventListener("keydown", (event) => this.key(event));
    stage.addEventListener("keyup", (event) => { if (event.key === " ") this.setSpace(false); });
    stage.addEventListener("blur", () => { this.setSpace(false); this.drop(); });
  }

  setPanning(panning) {
    this.panning = panning;
    this.viewer.stage.classList.toggle("panning", panning || this.space);
  }

  setSpace(space) {
    this.space = space;
    this.setPanning(this.panning);
  }

  down(event) {
    const { stage } = this.viewer;
    if (event.target === stage && (event.offsetX > stage.clientWidth || event.offsetY > stage.clientHeight)) return; // a scroll bar
    this.drop();
    this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    stage.setPointerCapture(event.pointerId);
    if (this.pointers.size > 1) {
      this.start = null;
      this.on.draft(null);
      return;
    }
    const pans = this.panning || this.space || event.button === 1;
    if (event.button > 1) return;
    this.start = { at: [event.clientX, event.clientY], page: this.viewer.toPage(event.clientX, event.clientY), pans, far: false };
  }

  moved(event) {
    const before = this.pointers.get(event.pointerId), now = [event.clientX, event.clientY];
    if (!before) {
      if (event.pointerType === "mouse") this.on.move(this.viewer.toPage(...now));
      return;
    }
    if (this.pointers.size === 2) this.pinch(event.pointerId, before, now);
    this.pointers.set(event.pointerId, now);
    if (!this.start || this.pointers.size > 1) return;
    const { at, pans } = this.start;
    this.start.far ||= Math.hypot(now[0] - at[0], now[1] - at[1]) > CLICK;
    if (!this.start.far) return;
    if (pans) this.viewer.stage.scrollBy({ left: before[0] - now[0], top: before[1] - now[1], behavior: "instant" });
    else this.on.draft(this.boxTo(now, 1));
  }

  pinch(id, before, now) {
    const [, other] = [...this.pointers].find(([one]) => one !== id);
    const apart = ([x, y]) => Math.hypot(x - other[0], y - other[1]);
    const middle = [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2];
    this.viewer.stage.scrollBy({ left: (before[0] - now[0]) / 2, top: (before[1] - now[1]) / 2, behavior: "instant" });
    if (apart(before) > 20) this.viewer.zoomBy(apart(now) / apart(before), middle);
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    const { start } = this;
    this.start = null;
    if (!start) return;
    this.on.draft(null);
    const now = [event.clientX, event.clientY];
    if (!start.far) return this.on.click(start.page);
    if (start.pans) return;
    const box = boxBetween(start.page, this.viewer.toPage(...now), this.viewer.page);
    if (box) this.on.box(box);
  }

  cancel(event) {
    this.pointers.delete(event.pointerId);
    this.start = null;
    this.on.draft(null);
  }

  boxTo(screen, least) { return boxBetween(this.start.page, this.viewer.toPage(...screen), this.viewer.page, least); }

  // --- a box by keyboard ---

  /** Begins with a box in the middle of the page. */
  begin() {
    const { width, height } = this.viewer.page;
    this.keyed = [width * 0.25, height * 0.4, width * 0.75, height * 0.5].map(Math.round);
    this.viewer.stage.focus();
    this.on.draft(this.keyed);
  }

  drop() {
    if (!this.keyed) return;
    this.keyed = null;
    this.on.draft(null);
  }

  key(event) {
    if (event.key === " ") {
      event.preventDefault();
      this.setSpace(true);
    }
    if (!this.keyed) return;
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (by) this.shift(by, event.shiftKey);
    else if (event.key === "Enter") {
      const box = this.keyed;
      this.drop();
      this.on.box(box);
    } else if (event.key === "Escape") this.drop();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  shift([dx, dy], sizes) {
    const { width, height } = this.viewer.page, step = Math.max(2, Math.round(width / 100));
    let [x1, y1, x2, y2] = this.keyed;
    const fit = (v, low, high) => Math.min(Math.max(v, low), high);
    if (sizes) {
      x2 = fit(x2 + dx * step, x1 + 8, width);
      y2 = fit(y2 + dy * step, y1 + 8, height);
    } else {
      const [mx, my] = [fit(dx * step, -x1, width - x2), fit(dy * step, -y1, height - y2)];
      [x1, y1, x2, y2] = [x1 + mx, y1 + my, x2 + mx, y2 + my];
    }
    this.keyed = [x1, y1, x2, y2];
    this.on.draft(this.keyed);
    this.viewer.reveal(this.keyed);
  }
}
