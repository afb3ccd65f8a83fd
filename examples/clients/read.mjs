// Reads a document and prints its text as it is written: node read.mjs FILE
import { readFile } from "node:fs/promises";
import { basename } from "node:path";

const url = process.env.GOT_OCR2_URL ?? "http://127.0.0.1:8000";
const key = process.env.GOT_OCR2_API_KEY ?? "none";
const file = process.argv[2];

function fail(message) {
  console.error(message);
  process.exit(1);
}

const form = new FormData();
form.append("file", new Blob([await readFile(file)]), basename(file));
form.append("options", JSON.stringify({ paragraphs: true }));
const answer = await fetch(`${url}/read`, {
  method: "POST",
  headers: { Authorization: `Bearer ${key}`, Accept: "application/x-ndjson" },
  body: form,
}).catch(() => fail(`${url} does not answer.`));
if (!answer.ok) fail((await answer.json()).error.message);

let rest = "";
for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + piece).split("\n");
  rest = lines.pop();
  for (const event of lines.map((line) => JSON.parse(line))) {
    if (event.type === "text") process.stdout.write(event.text);
    if (event.type === "page") process.stdout.write("\n");
    if (event.type === "error") fail(event.error.message);
  }
}
