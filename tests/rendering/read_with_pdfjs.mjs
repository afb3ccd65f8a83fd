// Prints what pdf.js reads on each page of a PDF, a JSON string a line.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import fs from "node:fs";

const found = createRequire(process.argv[2]).resolve("pdfjs-dist/legacy/build/pdf.mjs");
const { getDocument } = await import(pathToFileURL(found));
const pdf = await getDocument({ data: new Uint8Array(fs.readFileSync(process.argv[3])), verbosity: 0 }).promise;
for (let number = 1; number <= pdf.numPages; number++) {
  const content = await (await pdf.getPage(number)).getTextContent();
  console.log(JSON.stringify(content.items.map((item) => item.str + (item.hasEOL ? "\n" : "")).join("")));
}
