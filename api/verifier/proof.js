// Proof files (C2SP tlog-proof) on their own, with the record that they are about.
import { textOf } from "./bytes.js";
import { checkIncluded } from "./key_window.js";
import { Invalid, NotPossible, Report, shown } from "./report.js";
import { canonicalRecord, claimsOf } from "./session_record.js";
import { Malformed, Verifier, openCheckpoint, parseCheckpoint, parseNote, parseProofFile } from "./signed_note.js";

const KIND = "proof";

/**
 * Verify a proof file, whatever its bytes are. Without the record (bytes or null), or without a log key from elsewhere, it cannot be
 * valid: a proof says neither what it is about nor whom to believe.
 */
export async function verifyProof(bytes, record, pins) {
  let file;
  try {
    file = parseProofFile(textOf(bytes));
  } catch (error) {
    if (error instanceof Malformed) return Report.unusable(KIND, error.message).told();
    throw error;
  }
  const report = new Report(KIND);
  const said = await report.note("encoding", () => unsigned(file));
  if (said !== null) {
    report.claims = { origin: shown(said.origin), size: String(said.size), leaf_index: String(file.index) };
    const signer = await report.note("checkpoint", () => openedBy(file, said, pins.logKeys));
    if (signer !== null) report.trust.push({ role: "log", key: shown(signer.vkey), pinned: true });
    await report.note("inclusion", () => {
      if (record === null) throw new NotPossible("a proof file does not hold the record: give it with --record");
      return checkIncluded(record, file, said);
    });
  }
  if (record !== null) {
    const value = await report.note("record", () => canonicalRecord(textOf(record), record.length));
    if (value !== null) Object.assign(report.claims, claimsOf(value));
  }
  return report.told();
}

// What the checkpoint says, whoever signed it.
function unsigned(file) {
  const expected = "a proof that ends in a checkpoint";
  try {
    return [parseCheckpoint(parseNote(file.checkpoint).body), expected];
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    throw new Invalid(expected, shown(error.message));
  }
}

async function openedBy(file, said, logKeys) {
  if (logKeys.length === 0) throw new NotPossible("a proof file names no key: give the log's with --log-key");
  let why = "an origin that is no key's name";
  for (const { name, key } of logKeys) {
    try {
      const verifier = new Verifier(name ?? said.origin, key);
      await openCheckpoint(file.checkpoint, verifier);
      return [verifier, `signed by ${shown(verifier.vkey)}`];
    } catch (error) {
      if (!(error instanceof Invalid)) throw error;
      why = shown(error.message);
    }
  }
  throw new Invalid("a checkpoint signed by a log key that was given", why);
}
