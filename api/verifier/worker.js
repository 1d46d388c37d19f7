// The page's second thread: all reading, hashing and judging is done here, so that the page can always be used.
import { checkEngine } from "./ed25519.js";
import { NoKey } from "./pins.js";
import { readPins, verifyFile } from "./verify.js";

const MAX_RECORD_FILE = 64 * 1024; // a record has at most 16 KiB; what is longer is refused as such

if (typeof WorkerGlobalScope !== "undefined") {
  globalThis.addEventListener("message", ({ data }) => answer(data));
  checkEngine().then((missing) => postMessage({ engine: missing }));
}

async function answer({ id, file, pins, record }) {
  const progress = (stage, done, total) => postMessage({ id, progress: { stage, done, total } });
  try {
    const missing = await checkEngine();
    if (missing !== null) throw new Error(missing);
    const held = record === null ? null : await bytesIn(record, 0, MAX_RECORD_FILE);
    const source = { size: file.size, read: (offset, length) => bytesIn(file, offset, length) };
    postMessage({ id, report: await verifyFile(source, readPins(pins), held, progress) });
  } catch (error) {
    postMessage({ id, problem: problemOf(error) });
  }
}

// A verdict comes only from the whole of the checks: whatever breaks them off is said as what it is.
function problemOf(error) {
  if (error instanceof NoKey) return { kind: "no-key", message: error.message };
  if (error instanceof DOMException && error.name === "NotReadableError") return { kind: "unreadable", message: error.message };
  return { kind: "broken", message: String(error?.message ?? error) };
}

async function bytesIn(blob, offset, length) {
  return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
}
