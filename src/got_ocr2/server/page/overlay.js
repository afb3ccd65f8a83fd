// What is drawn over the page: lines, frames, regions, the place of a word.

import { quadOf, under } from "./geometry.js";
import { linesOf, unread } from "./lines.js";
import { svg } from "./dom.js";

const points = (quad) => quad.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
const oblong = ([x1, y1, x2, y2], attributes) => svg("rect", { x: x1, y: y1, width: x2 - x1, height: y2 - y1, ...attributes });

export class Overlay {
  constructor(root) {
    this.root = root;
    this.layers = Object.fromEntries(["frames", "lines", "regions", "spots", "draft"].map((name) => {
      const layer = svg("g");
      root.append(layer);
      return [name, layer];
    }));
    this.things = [];
  }

  /** Draws what is known of the current page. */
  update(doc) {
    this.things = [];
    for (const frame of doc.layout().frames) {
      const node = oblong(frame.box, { class: `frame ${frame.color}` });
      this.things.push({ kind: "frame", box: frame.box, color: frame.color, node });
    }
    for (const line of unread(doc)) this.add(line, line.left ? "skipped" : "found", null);
    for (const reading of doc.on().filter((one) => one.scope !== "pages")) {
      for (const line of linesOf(reading)) {
        if (line.box) this.add(line, reading.kept[line.index] ? "kept" : "read", reading);
      }
    }
    const nodes = (kind) => this.things.filter((thing) => thing.kind === kind).map((thing) => thing.node);
    this.layers.frames.replaceChildren(...nodes("frame"));
    this.layers.lines.replaceChildren(...nodes("line"));
    this.layers.regions.replaceChildren(...doc.on().filter((one) => one.box).map((one) => oblong(one.box, { class: "region" })));
    this.spot(null);
  }

  add(line, state, reading) {
    const node = svg("polygon", { points: points(line.quad ?? quadOf(line.box, line.angle ?? 0)), class: `line ${state}` });
    this.things.push({ kind: "line", state, box: line.box, line, reading, node });
  }

  /** What lies under a point of the page: a line before a frame. */
  at(point) {
    return under(this.things.filter((thing) => thing.kind === "line"), point, 1)
      ?? under(this.things.filter((thing) => thing.kind === "frame"), point, 4);
  }

  /** Marks one thing and unmarks the rest. */
  near(thing) {
    for (const one of this.things) one.node.classList.toggle("near", one === thing);
  }

  nearLine(reading, index) {
    this.near(this.things.find((thing) => thing.reading === reading && thing.line?.index === index));
  }

  /** Shows where a word or line stands; null shows nothing. */
  spot(part) {
    const spots = part?.box ? [svg("polygon", { class: "spot", points: points(quadOf(part.box, part.angle ?? 0)) })] : [];
    this.layers.spots.replaceChildren(...spots);
  }

  /** Shows a box that is being drawn; null shows none. */
  draft(box) { this.layers.draft.replaceChildren(...(box ? [oblong(box, { class: "draft" })] : [])); }
}
