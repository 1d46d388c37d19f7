// Receipts: everything that one needs to check one session (docs/formats.md).
import { bytesOf, fromBase64url, textOf } from "./bytes.js";
import { PublicKey } from "./ed25519.js";
import { checkIncluded, checkLogged, keyWindow } from "./key_window.js";
import { ProfileError, parseProfile } from "./profile.js";
import { Invalid, Report, Unusable, shown } from "./report.js";
import { Session, canonicalRecord, claimsOf } from "./session_record.js";
import { Verifier, openCheckpoint, parseProofFile } from "./signed_note.js";

/** Bytes of a receipt. */
export const MAX_RECEIPT_BYTES = 4 * 1024 * 1024;
const KIND = "receipt";
const TYPE = "rollcall.receipt";
const MAX_KEY_RECORDS = 16;
const TEXTS = ["log_key", "proof", "public_key", "record", "rules", "signature", "timeline"];
const KEY_TEXTS = ["proof", "public_key", "record", "signature"];
const CHECKS = [
  "encoding", "record", "session", "key-id", "signature", "timeline-digest", "timeline", "sums", "rules-digest", "rules",
  "key-records", "key-window", "checkpoint", "inclusion", "key-inclusion",
];

/** Verify a receipt, whatever its bytes are. */
export async function verifyReceipt(bytes, pins) {
  if (bytes.length > MAX_RECEIPT_BYTES) return Report.unusable(KIND, `it has more than ${MAX_RECEIPT_BYTES} bytes`).told();
  try {
    return await verified(textsOf(parseProfile(textOf(bytes))), pins);
  } catch (error) {
    if (error instanceof ProfileError) return Report.unusable(KIND, `it is not JSON as receipts are: ${error.message}`).told();
    if (error instanceof Unusable) return Report.unusable(KIND, error.message).told();
    throw error;
  }
}

async function verified(texts, pins) {
  const report = new Report(KIND);
  const receipt = await report.note("encoding", () => decodedReceipt(texts));
  const record = await report.note("record", () => canonicalRecord(texts.record));
  if (record !== null) report.claims = claimsOf(record);
  if (receipt !== null) {
    await checkRecord(report, receipt, record);
    await checkPins(report, receipt, pins);
  }
  // What was never reached is said, so that every report has every name.
  for (const name of CHECKS) {
    if (!report.has(name)) report.add(name, "not_possible", "", "since what it rests on did not pass", true);
  }
  return report.told();
}

async function checkRecord(report, receipt, record) {
  const session = record === null ? null : await report.note("session", () => Session.of(record));
  if (session !== null) await report.note("key-id", () => sameKey(session.kid, receipt.key));
  await report.note("signature", () => checkSigned(receipt));
  const checkpoint = await report.note("checkpoint", () => opened(receipt));
  if (checkpoint !== null) {
    await report.note("inclusion", () => checkIncluded(bytesOf(receipt.record), receipt.proof, checkpoint));
    await report.note("key-inclusion", () => checkLogged(receipt.keyRecords, receipt.proof, checkpoint));
  }
  if (session === null) return;
  await report.note("timeline-digest", () => session.checkTimelineDigest(receipt.timeline));
  const sums = await report.note("timeline", () => session.partition(receipt.timeline));
  await report.note("rules-digest", () => session.checkRulesDigest(receipt.rules));
  if (sums !== null) {
    await report.note("sums", () => session.checkSums(sums));
    const minimum = await report.note("rules", () => session.underRules(receipt.rules, sums));
    if (minimum !== null) await report.note("below-minimum", () => session.checkBelowMinimum(sums, minimum), false);
  }
  const window = await report.note("key-records", () => keyWindow(receipt.keyRecords, receipt.key, session));
  if (window !== null) await report.note("key-window", () => window.covers(session, receipt.proof.index));
}

function sameKey(kid, key) {
  if (kid !== key.kid) throw new Invalid(`kid ${key.kid}`, shown(kid));
  return [true, kid];
}

async function checkSigned(receipt) {
  if (!(await receipt.key.verify(bytesOf(receipt.record), receipt.signature))) {
    throw new Invalid(`a signature by ${receipt.key.kid}`, "one that does not verify over the record");
  }
  return [true, `Ed25519 by ${receipt.key.kid}`];
}

async function opened(receipt) {
  try {
    const checkpoint = await openCheckpoint(receipt.proof.checkpoint, receipt.logKey);
    return [checkpoint, `${shown(checkpoint.origin)}, ${checkpoint.size} entries`];
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    throw new Invalid(`a checkpoint signed by ${shown(receipt.logKey.vkey)}`, shown(error.message));
  }
}

async function checkPins(report, receipt, pins) {
  const { key, logKey } = receipt;
  const isKeyKnown = pins.keys.some((one) => one.is(key));
  const isLogKeyKnown = pins.logKeys.some((one) => one.key.is(logKey.key) && (one.name === null || one.name === logKey.name));
  for (const [name, given, isKnown, role, shownKey] of [
    ["pinned-key", pins.keys, isKeyKnown, "record", key.kid],
    ["pinned-log-key", pins.logKeys, isLogKeyKnown, "log", shown(logKey.vkey)],
  ]) {
    if (given.length > 0) await report.note(name, () => checkPinned(isKnown, role, shownKey, given.length));
    report.trust.push({ role, key: shownKey, pinned: isKnown });
  }
}

function checkPinned(isKnown, role, key, given) {
  if (!isKnown) throw new Invalid(`one of the ${given} ${role} keys given`, key);
  return [true, `${key} is among the ${given} ${role} keys given`];
}

function textsOf(value) {
  const texts = only(value, [...TEXTS, "key_records", "type", "v"], TEXTS, "the receipt");
  if (value.get("type") !== TYPE) throw new Unusable(`its type is not ${TYPE}`);
  if (value.get("v") !== 1) throw new Unusable("its version is not 1, the only one that is known here");
  const listed = value.get("key_records");
  if (!Array.isArray(listed)) throw new Unusable("key_records of the receipt is not a list");
  if (listed.length > MAX_KEY_RECORDS) throw new Unusable(`it has more than ${MAX_KEY_RECORDS} key records`);
  return { ...texts, key_records: listed.map((one) => only(one, KEY_TEXTS, KEY_TEXTS, "a key record")) };
}

// The texts of an object that has no other members than these.
function only(value, known, texts, what) {
  if (!(value instanceof Map)) throw new Unusable(`${what} is not an object`);
  const unknown = [...value.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Unusable(`${what} has an unknown member ${shown(unknown)}`);
  const missing = texts.find((name) => typeof value.get(name) !== "string");
  if (missing !== undefined) throw new Unusable(`${what} has no ${missing} that is a string`);
  return Object.fromEntries(texts.map((name) => [name, value.get(name)]));
}

function decodedReceipt(texts) {
  const receipt = {
    logKey: within("log_key that is a verifier key", () => Verifier.parse(texts.log_key)),
    record: texts.record,
    signature: bytesNamed(texts.signature, 64, "signature"),
    key: keyOf(texts.public_key),
    timeline: texts.timeline,
    rules: texts.rules,
    proof: proofOf(texts.proof),
    keyRecords: texts.key_records.map((one) => ({
      record: one.record,
      signature: bytesNamed(one.signature, 64, "signature"),
      signer: keyOf(one.public_key),
      proof: proofOf(one.proof),
    })),
  };
  return [receipt, "keys, signatures and proofs, each in its one spelling"];
}

function bytesNamed(text, length, name) {
  const bytes = fromBase64url(text, length);
  if (bytes !== null) return bytes;
  throw new Invalid(`${name} of ${length} bytes in base64url, without padding, in its one spelling`, shown(text));
}

function keyOf(text) {
  const key = PublicKey.from(bytesNamed(text, 32, "public_key"));
  if (key === null) throw new Invalid("a public key of Ed25519, not one of small order", shown(text));
  return key;
}

function proofOf(text) {
  return within("a proof file (C2SP tlog-proof)", () => parseProofFile(text));
}

function within(expected, read) {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    throw new Invalid(expected, shown(error.message));
  }
}
