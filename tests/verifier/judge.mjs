// Judges what it is asked to, with the modules of the page: one JSON object a line in, one report a line out.
//
// {path | base64, keys, logKeys, exportKeys, record (base64)}
import { open, readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import { checkEngine } from "../../api/verifier/ed25519.js";
import { NoKey } from "../../api/verifier/pins.js";
import { readPins, verifyFile } from "../../api/verifier/verify.js";

const missing = await checkEngine();
if (missing !== null) throw new Error(missing);

for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const asked = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await judged(asked))}\n`);
}

async function judged({ path, base64, record, ...pins }) {
  const bytes = path === undefined ? Buffer.from(base64, "base64") : null;
  const held = record === undefined ? null : new Uint8Array(Buffer.from(record, "base64"));
  const file = bytes === null ? await open(path) : null;
  try {
    const size = bytes === null ? (await file.stat()).size : bytes.length;
    const read = async (offset, length) => {
      if (bytes !== null) return new Uint8Array(bytes.subarray(offset, offset + length));
      const into = new Uint8Array(Math.min(length, size - offset));
      const { bytesRead } = await file.read(into, 0, into.length, offset);
      return into.subarray(0, bytesRead);
    };
    return await verifyFile({ size, read }, readPins(pins), held, () => {});
  } catch (error) {
    if (error instanceof NoKey) return { kind: "unknown", verdict: "no-key", reason: error.message };
    throw error;
  } finally {
    await file?.close();
  }
}
