// Any file: what it is, by how it begins, and what came of it.
import { bytesOf, sameBytes } from "./bytes.js";
import { verifyExport } from "./export.js";
import { parseKeys, parseLogKeys } from "./pins.js";
import { verifyProof } from "./proof.js";
import { MAX_RECEIPT_BYTES, verifyReceipt } from "./receipt.js";
import { Report } from "./report.js";

// Half of what may be unpacked: an archive that is larger would not fit beside what comes out of it.
const MAX_ARCHIVE_BYTES = 512 * 1024 * 1024;
const GZIP = Uint8Array.of(0x1f, 0x8b);
const PROOF = bytesOf("c2sp.org/tlog-proof@");

/**
 * Keys from elsewhere, from texts.
 *
 * @throws {NoKey}
 */
export function readPins({ keys = [], logKeys = [], exportKeys = [] }) {
  return {
    keys: keys.flatMap(parseKeys),
    logKeys: logKeys.flatMap(parseLogKeys),
    exportKeys: exportKeys.flatMap(parseKeys),
  };
}

/**
 * Verify a file, whatever it is.
 *
 * @param source `size` in bytes, and `read(offset, length)`, a promise of bytes.
 * @param pins What `readPins` gave.
 * @param record The bytes of the record that a proof is about, or null.
 * @param progress Called with a stage's name, and how much of how much is done.
 * @returns Plain data, like `rollcall verify --json` writes.
 */
export async function verifyFile(source, pins, record, progress) {
  const bytes = await source.read(0, Math.min(source.size, MAX_RECEIPT_BYTES + 1));
  if (sameBytes(bytes.subarray(0, 2), GZIP)) return verifyArchive(source, pins, progress);
  if (sameBytes(bytes.subarray(0, PROOF.length), PROOF)) return verifyProof(bytes, record, pins);
  return verifyReceipt(bytes, pins);
}

async function verifyArchive(source, pins, progress) {
  if (source.size > MAX_ARCHIVE_BYTES) {
    return Report.unusable("export", `it has more than ${MAX_ARCHIVE_BYTES} bytes, more than this page takes: use rollcall verify`).told();
  }
  return verifyExport(await source.read(0, source.size), pins, progress);
}
