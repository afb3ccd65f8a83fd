// Boxes are [x1, y1, x2, y2] in pixels of the page; angles are degrees by which text runs down to the right.

/** Corners of the oblong whose upright hull is `box`, as layout.line_at computes them. */
export function quadOf(box, angle = 0) {
  const [x1, y1, x2, y2] = box, t = (angle * Math.PI) / 180;
  const cos = Math.cos(t), sin = Math.sin(t), c = Math.abs(cos), s = Math.abs(sin);
  let w = x2 - x1, h = y2 - y1;
  if (Math.abs(c * c - s * s) > 0.25) {
    const along = (w * c - h * s) / (c * c - s * s), down = (h * c - w * s) / (c * c - s * s);
    if (along > 0 && down > 0) [w, h] = [along, down];
  }
  const mx = (x1 + x2) / 2, my = (y1 + y2) / 2;
  return [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([i, j]) => {
    const x = (i * w) / 2, y = (j * h) / 2;
    return [mx + x * cos - y * sin, my + x * sin + y * cos];
  });
}

export function contains(box, [x, y], room = 0) {
  return x >= box[0] - room && x <= box[2] + room && y >= box[1] - room && y <= box[3] + room;
}

export const area = (box) => Math.max(0, box[2] - box[0]) * Math.max(0, box[3] - box[1]);

export function common(a, b) {
  return area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
}

/** The smallest thing of `things` ({box}) under a point. */
export function under(things, point, room = 0) {
  return things.filter((one) => contains(one.box, point, room)).sort((a, b) => area(a.box) - area(b.box))[0];
}

/** A box with the level lines that are mostly inside as wholes: half a letter reads as another one. */
export function withWholeLines(box, lines) {
  const taken = lines.filter((line) => Math.abs(line.angle ?? 0) < 5 && common(box, line.box) > 0.65 * area(line.box));
  return taken.reduce((hull, { box: [x1, y1, x2, y2] }) => [Math.min(hull[0], Math.floor(x1)), Math.min(hull[1], Math.floor(y1)),
    Math.max(hull[2], Math.ceil(x2)), Math.max(hull[3], Math.ceil(y2))], box);
}

/** Two corners as a box inside the page, or null if it is hardly one. */
export function boxBetween(a, b, page, least = 6) {
  const fit = (v, most) => Math.min(Math.max(v, 0), most);
  const xs = [fit(a[0], page.width), fit(b[0], page.width)].sort((p, q) => p - q);
  const ys = [fit(a[1], page.height), fit(b[1], page.height)].sort((p, q) => p - q);
  const box = [Math.floor(xs[0]), Math.floor(ys[0]), Math.ceil(xs[1]), Math.ceil(ys[1])];
  return box[2] - box[0] >= least && box[3] - box[1] >= least ? box : null;
}
