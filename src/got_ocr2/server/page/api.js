// The only file that talks to the server.

const KEY = "got-ocr2-key";

/** The server refused, and said why. */
export class Refused extends Error {
  constructor(status, message, type, retryAfter) {
    super(message);
    Object.assign(this, { status, type, retryAfter });
  }
}

/** Nobody answers, or the answer broke off. */
export class Lost extends Error {}

let askForKey = async () => null;
let asking = null;

/** `ask(known)` is called when the server wants a key; it resolves to the key, or to null. */
export function onKeyNeeded(ask) { askForKey = ask; }

async function request(path, options = {}) {
  for (;;) {
    const key = sessionStorage.getItem(KEY);
    const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
    let answer;
    try {
      answer = await fetch(path, { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Lost(path);
    }
    if (answer.ok) return answer;
    const problem = await refusal(answer);
    if (answer.status !== 401) throw problem;
    // Another request may have asked meanwhile.
    if (sessionStorage.getItem(KEY) !== key) continue;
    asking ??= askForKey(key !== null).finally(() => { asking = null; });
    const given = await asking;
    if (!given) throw problem;
    sessionStorage.setItem(KEY, given);
  }
}

async function refusal(answer) {
  const said = await answer.json().catch(() => ({}));
  const error = said.error ?? {};
  const message = error.message ?? `${answer.status} ${answer.statusText}`;
  return new Refused(answer.status, message, error.type, answer.headers.get("Retry-After"));
}

async function whole(answer, how) {
  try {
    return await answer[how]();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Lost(answer.url);
  }
}

function post(path, body, options = {}) {
  const headers = { "Content-Type": "application/json", ...options.headers };
  return request(path, { method: "POST", body: JSON.stringify(body), ...options, headers });
}

export async function upload(file, name) {
  const form = new FormData();
  form.append("file", file, name);
  return whole(await request("/v1/files", { method: "POST", body: form }), "json");
}

export async function pages(fileId) {
  return (await whole(await request(`/files/${encodeURIComponent(fileId)}/pages`), "json")).pages;
}

/** A page as a picture of at most `width` pixels, as a Blob. */
export async function picture(fileId, page, width) {
  const query = width ? `?width=${Math.round(width)}` : "";
  return whole(await request(`/files/${encodeURIComponent(fileId)}/pages/${page}${query}`), "blob");
}

/** {lines: what was found, frames: those that somebody drew in colour}. */
export async function layout(fileId, page) {
  const framed = request(`/files/${encodeURIComponent(fileId)}/pages/${page}/frames`);
  const [found, drawn] = await Promise.all([post("/layout", { file_id: fileId, page }), framed]);
  return { lines: (await whole(found, "json")).lines, frames: (await whole(drawn, "json")).frames };
}

/** Yields the events of a reading as they come; `signal` ends it. */
export async function* read(fileId, options, signal) {
  const answer = await post("/read", { file_id: fileId, options },
    { signal, headers: { Accept: "application/x-ndjson" } });
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "", ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines) {
        if (!line.trim()) continue;
        const event = JSON.parse(line);
        ended ||= event.type === "document" || event.type === "error";
        yield event;
      }
    }
  } catch (error) {
    if (error.name === "AbortError" || error instanceof SyntaxError) throw error;
    throw new Lost("/read");
  } finally {
    reader.cancel().catch(() => {});
  }
  if (!ended) throw new Lost("/read");
}

/** The document read again and written in a format that needs the places of words. */
export async function readAs(fileId, options, format) {
  return whole(await post("/read", { file_id: fileId, options, to: [format] }), "blob");
}

export async function render(text, kind, format, plain) {
  const answer = await post("/render", { text, kind, to: format, plain });
  return { blob: await whole(answer, "blob"), type: answer.headers.get("Content-Type") ?? "" };
}

/** What the server is: {model, reads: "lines" or "pages"}. */
export async function ready() { return whole(await request("/ready"), "json"); }

export async function corrections() { return (await whole(await request("/corrections"), "json")).corrections; }

export async function correct(fileId, page, box, angle, text) {
  return whole(await post("/corrections", { file_id: fileId, page, box, angle, text }), "json");
}

export async function forget(id) { await request(`/corrections/${id}`, { method: "DELETE" }); }

export async function correctionPicture(id, piece) {
  return whole(await request(`/corrections/${id}/pictures/${piece}`), "blob");
}

export async function correctionsZip() { return whole(await request("/corrections.zip"), "blob"); }
