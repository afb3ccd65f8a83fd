// What was read before, in this browser's own database.

const NAME = "got-ocr2", STORE = "documents";
const MOST = 30; // documents
const LARGEST = 25_000_000; // bytes

let opened = null;

function database() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(STORE, { keyPath: "key" });
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
  return opened;
}

async function within(mode, act) {
  const store = (await database()).transaction(STORE, mode).objectStore(STORE);
  const asked = act(store);
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}

/** The documents, the newest first: {key, name, at, blob, thumb, pages, readings}. */
export async function all() {
  return (await within("readonly", (store) => store.getAll())).sort((a, b) => b.at - a.at);
}

/** Keeps a document; the oldest go where there are too many, and large ones are left out. */
export async function keep(doc, thumb) {
  if (doc.blob.size > LARGEST) return;
  const readings = doc.readings.filter((one) => one.state !== "running").map((one) => structuredClone(one));
  await within("readwrite", (store) => store.put({ key: doc.key, name: doc.name, at: Date.now(), blob: doc.blob, thumb, pages: doc.pages.length, readings }));
  for (const old of (await all()).slice(MOST)) await forget(old.key);
}

export const forget = (key) => within("readwrite", (store) => store.delete(key));
export const forgetAll = () => within("readwrite", (store) => store.clear());
