// A period export: its wrapping, its records, its leaderboard and its proofs (docs/formats.md, "Period export"). Any bytes give a
// report.
import { textOf } from "./bytes.js";
import { Bag, bagKeys, checkHashes, checkSignatures, namedPeriod } from "./bag.js";
import { checkChain } from "./bag_chain.js";
import { checkStanding } from "./bag_standing.js";
import { surveyRecords } from "./bag_survey.js";
import { Fault, Findings } from "./findings.js";
import { checkInclusion, recordLeafHash } from "./merkle.js";
import { Invalid, Report, Unusable } from "./report.js";
import { openCheckpoint, parseProofFile } from "./signed_note.js";
import { unpack } from "./tar.js";

const KIND = "export";
const CHECKS = [
  "archive", "files", "manifest", "tag-manifest", "export-signature", "keys", "key-records", "period", "records", "signatures",
  "key-windows", "chain", "redacted", "timelines", "rules", "sessions", "corrections", "sessions-root", "entries", "entries-root", "sums",
  "ranking", "tables", "checkpoint", "proofs",
];
const OF_CHAIN = ["period", "records", "signatures", "key-windows", "chain", "timelines", "rules", "sessions", "corrections"];
const SHOWN_KEYS = 20;

/** Verify a period export in its archive, whatever its bytes are. */
export async function verifyExport(bytes, pins, progress) {
  const findings = new Findings(CHECKS);
  try {
    const files = await findings.stage(() => unpacked(bytes, progress));
    if (files === null) return findings.told();
    findings.passed("archive", "one folder of regular files");
    await verifyBag(new Bag(files), pins, findings, progress);
    return findings.told();
  } catch (error) {
    if (error instanceof Unusable) return Report.unusable(KIND, error.message).told();
    throw error;
  }
}

function unpacked(bytes, progress) {
  try {
    return unpack(bytes, progress);
  } catch (error) {
    if (error instanceof Invalid) throw new Fault("archive", error.expected, error.found);
    throw error;
  }
}

async function verifyBag(bag, pins, findings, progress) {
  await findings.stage(() => checkWrapping(bag, findings, progress));
  const keys = await findings.stage(() => bagKeys(bag));
  if (keys === null) return;
  await findings.stage(async () => {
    await checkSignatures(bag, keys.export);
    findings.passed("export-signature", `Ed25519 and SSHSIG by ${keys.export.kid}`);
  });
  findings.trust = trustOf(keys);
  const found = await findings.stage(() => surveyRecords(bag, keys.records, progress));
  if (found === null) return;
  const { period } = found;
  claim(findings, period);
  pin(findings, keys, period, pins);
  await findings.stage(() => checkName(bag, period));
  findings.passed("keys", `${keys.records.size} record keys, the log's and the export's`);
  findings.passed("key-records", `${found.keyPositions.length} key records`);
  const seen = await findings.stage(() => checkChain(bag, found, progress));
  if (seen === null) return;
  tellChain(findings, seen);
  await findings.stage(() => checkStanding(bag, period, seen, findings, progress));
  findings.passed("entries", "each in its one form");
  await findings.stage(() => checkLog(bag, keys, period, seen, findings));
}

function checkWrapping(bag, findings, progress) {
  const count = checkHashes(bag, progress);
  findings.passed("files", `${count} files, all and only those that are named`);
  findings.passed("manifest", "every file of data/ has its SHA-256");
  findings.passed("tag-manifest", "every other file has its SHA-256");
}

function checkName(bag, period) {
  const [guildId, index] = namedPeriod(bag);
  if (guildId !== period.guildId || index !== period.index) {
    throw new Fault("period", `the period ${index} of guild ${guildId}`, `${period.index} of ${period.guildId}`);
  }
}

function tellChain(findings, seen) {
  for (const name of OF_CHAIN) findings.passed(name, `${seen.records} records`);
  findings.passed("sessions-root", `${seen.sessions} sessions`);
  if (seen.unnamed > 0) {
    findings.notPossible("redacted", `${seen.unnamed} of ${seen.redacted} erased records are named by no record.redacted here`);
  }
  findings.passed("redacted", `${seen.redacted} erased records`);
  Object.assign(findings.claims, {
    records: String(seen.records),
    sessions: String(seen.sessions),
    erased_records: String(seen.redacted),
  });
}

// The period's record and every key record are in the log.
async function checkLog(bag, keys, period, seen, findings) {
  const proven = new Map([...seen.digests.keys()].map((position) => [`data/proofs/${position}.tlog-proof`, position]));
  const there = [...bag.files.keys()].filter((path) => path.startsWith("data/proofs/"));
  const odd = [...there.filter((path) => !proven.has(path)), ...[...proven.keys()].filter((path) => !bag.files.has(path))].sort();
  if (odd.length > 0) throw new Fault("proofs", "a proof of each key record and of the period's", odd[0]);
  const leaves = new Map();
  for (const [path, position] of proven) {
    const { file, size } = await opened(bag, path, seen.digests.get(position), keys.log);
    leaves.set(position, file.index);
    if (position !== period.guildSeq) continue;
    if (textOf(bag.small("data/checkpoint")) !== file.checkpoint) {
      throw new Fault("checkpoint", "data/checkpoint as in the proof of the period's record", "another");
    }
    findings.passed("checkpoint", `${keys.log.name}, ${size} entries`);
    findings.claims.leaf_index = String(file.index);
  }
  const order = [...leaves.keys()].sort((left, right) => left - right).map((position) => leaves.get(position));
  if (order.some((leaf, place) => place > 0 && leaf <= order[place - 1])) {
    throw new Fault("proofs", "leaves in the order of the chain", order.join(", "));
  }
  findings.passed("proofs", `${proven.size} records in the log`);
}

async function opened(bag, path, digest, log) {
  try {
    const file = parseProofFile(textOf(bag.small(path)));
    const { size, root } = await openCheckpoint(file.checkpoint, log);
    checkInclusion(recordLeafHash(digest), file.index, size, file.hashes, root);
    return { file, size };
  } catch (error) {
    if (!(error instanceof Invalid) || error instanceof Fault) throw error;
    throw new Fault("proofs", `${path}: a proof under ${log.vkey}`, error.message);
  }
}

function claim(findings, period) {
  findings.claims = {
    guild_id: period.guildId,
    period_index: String(period.index),
    started_at_ms: String(period.startedAtMs),
    ended_at_ms: String(period.endedAtMs),
    entry_count: String(period.entryCount),
  };
}

function trustOf(keys) {
  const records = [...keys.records.keys()].slice(0, SHOWN_KEYS).map((kid) => ({ role: "record", key: kid, pinned: false }));
  return [{ role: "export", key: keys.export.kid, pinned: false }, ...records, { role: "log", key: keys.log.vkey, pinned: false }];
}

// Hold keys against those from elsewhere. Of record keys the one counts that signed the period: all else hangs on it.
function pin(findings, keys, period, pins) {
  const isAmong = (given, key) => key !== undefined && given.some((one) => one.is(key));
  const isLogKnown = pins.logKeys.some(({ name, key }) => key.is(keys.log.key) && (name === null || name === keys.log.name));
  for (const [name, given, isKnown, key] of [
    ["pinned-export-key", pins.exportKeys, isAmong(pins.exportKeys, keys.export), keys.export.kid],
    ["pinned-key", pins.keys, isAmong(pins.keys, keys.records.get(period.kid)), period.kid],
    ["pinned-log-key", pins.logKeys, isLogKnown, keys.log.vkey],
  ]) {
    if (given.length > 0 && isKnown) findings.passed(name, `${key} is among the ${given.length} given`);
    else if (given.length > 0) findings.failed(name, `one of the ${given.length} keys given`, key);
  }
  const isPinned = {
    export: () => isAmong(pins.exportKeys, keys.export),
    record: (kid) => isAmong(pins.keys, keys.records.get(kid)),
    log: () => isLogKnown,
  };
  findings.trust = findings.trust.map((one) => ({ ...one, pinned: isPinned[one.role](one.key) }));
}
