// The lines and words of a reading, and what mending one of them changes. The server counts offsets in code points.

import { area, common } from "./geometry.js";

/** [{index, start, end, text, box, angle, block, confidence, words}] in the order of the text. */
export function linesOf(reading) {
  const { result } = reading;
  if (!result?.text) return [];
  const points = Array.from(result.text);
  const known = new Map((result.lines ?? []).map((line) => [line.start, line]));
  const words = result.words ?? [];
  const lines = [];
  let start = 0, at = 0;
  for (let end = 0; end <= points.length; end++) {
    if (end < points.length && points[end] !== "\n") continue;
    while (at < words.length && words[at].start < start) at++;
    const own = [];
    while (at < words.length && words[at].end <= end) own.push(words[at++]);
    const line = known.get(start) ?? {};
    lines.push({ box: null, angle: 0, block: null, confidence: null, ...line, index: lines.length, start, end,
      text: points.slice(start, end).join(""), words: own });
    start = end + 1;
  }
  return lines;
}

/** The pieces of a line: words, and what stands between them. */
export function partsOf(line) {
  const points = Array.from(line.text), parts = [];
  let at = 0;
  for (const word of line.words) {
    const [start, end] = [word.start - line.start, word.end - line.start];
    if (start < at) continue;
    if (start > at) parts.push({ text: points.slice(at, start).join("") });
    parts.push({ text: points.slice(start, end).join(""), word });
    at = end;
  }
  if (at < points.length) parts.push({ text: points.slice(at).join("") });
  return parts;
}

/** Puts `text` in the place of a line; its words keep their places if there are as many. */
export function replaceLine(reading, line, text) {
  const { result } = reading;
  const points = Array.from(result.text), fresh = Array.from(text);
  const by = fresh.length - (line.end - line.start);
  result.text = [...points.slice(0, line.start), ...fresh, ...points.slice(line.end)].join("");
  reading.text = result.text;
  const moved = (part) => (part.start >= line.end && part.start !== line.start
    ? { ...part, start: part.start + by, end: part.end + by } : part);
  const own = mendedWords(line, text);
  const inside = (word) => word.start >= line.start && word.end <= line.end;
  if (result.words) {
    const before = result.words.filter((word) => word.end <= line.start && !inside(word));
    const after = result.words.filter((word) => word.start >= line.end && !inside(word));
    result.words = [...before, ...own, ...after.map(moved)];
  }
  result.lines = (result.lines ?? []).map((one) => (one.start === line.start
    ? { ...one, text, end: one.start + fresh.length, confidence: 1 } : moved(one)));
}

function mendedWords(line, text) {
  const found = [...text.matchAll(/\S+/g)];
  if (found.length !== line.words.length) return [];
  return found.map((match, index) => {
    const start = line.start + Array.from(text.slice(0, match.index)).length;
    return { ...line.words[index], text: match[0], start, end: start + Array.from(match[0]).length, confidence: 1 };
  });
}

/** Lines that were found on a page but are in none of its readings; `left` says whether they were left out. */
export function unread(doc) {
  const here = doc.on().filter((reading) => reading.result && reading.scope !== "pages");
  const boxes = here.flatMap((reading) => (reading.result.lines ?? []).map((line) => line.box)).filter(Boolean);
  const left = here.some((reading) => reading.scope === "page" && reading.state === "done" && reading.result.lines);
  return doc.layout().lines
    .filter((line) => !boxes.some((box) => common(box, line.box) > 0.5 * area(line.box)))
    .map((line) => ({ ...line, left }));
}

/** 0 (sure) to 4 (hardly more than a guess). */
export function doubt(confidence) {
  if (confidence === null || confidence === undefined) return 0;
  return [0.95, 0.85, 0.7, 0.5].filter((limit) => confidence < limit).length;
}
