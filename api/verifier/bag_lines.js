// The files of an export's `data/` as lines, in the one form that our own exports have them.
import { base64url, bytesOf, fromBase64url, lettersOf, textOf } from "./bytes.js";
import { Fault, checkedAs } from "./findings.js";
import { leafHash } from "./merkle.js";
import { Invalid } from "./report.js";
import { MAX_RECORD_BYTES, Members, canonicalRecord } from "./session_record.js";
import { sha256 } from "./sha256.js";

const TIMELINE_BYTES = 4 * 1024 * 1024;
const RULES_BYTES = 64 * 1024 * 1024;
const RULES_LINE_BYTES = 1024 * 1024;
const NUMBER = "(0|[1-9][0-9]{0,15})";
const HASH = "([A-Za-z0-9_-]{43})";
const SIGNATURE = new RegExp(
  `^\\{"guild_seq":${NUMBER},"kid":"${HASH}","record_sha256":"${HASH}","signature":"([A-Za-z0-9_-]{86})"\\}$`,
);
const TIMELINE = new RegExp(`^\\{"guild_seq":${NUMBER},"session_id":"([0-9a-f-]{36})","timeline":(\\[[^\\n]*\\])\\}$`);
const REDACTED = new RegExp(
  `^\\{"guild_seq":${NUMBER}(?:,"period_index":${NUMBER})?,"record_sha256":"${HASH}","type":"([a-z._]{1,40})"\\}$`,
);
const ENTRY = new RegExp(
  `^\\{"credited_ms":${NUMBER},"rank":${NUMBER},"salt":"([A-Za-z0-9_-]{22})","session_count":${NUMBER},"user_id":"(0|[1-9][0-9]{0,18})"\\}$`,
);
const LEAF = new RegExp(`^\\{"leaf_sha256":"${HASH}"\\}$`);

/**
 * The lines of a file, without their ends; never one longer than `limit` bytes.
 *
 * @throws {Fault} A line is too long, or the last one has no end.
 */
export function* linesOf(bag, path, check, limit = MAX_RECORD_BYTES) {
  const bytes = bag.bytes(path);
  for (let [at, number] = [0, 1]; at < bytes.length; number += 1) {
    const end = bytes.indexOf(10, at);
    if (end < 0 || end - at > limit) throw new Fault(check, `${path}: whole lines of at most ${limit} bytes`, `another at line ${number}`);
    yield bytes.subarray(at, end);
    at = end + 1;
  }
}

/**
 * A record, which is canonical, as a Map; its type is a text.
 *
 * @throws {Fault}
 */
export function readRecord(line) {
  return checkedAs(
    "records",
    () => {
      const [record] = canonicalRecord(textOf(line), line.length);
      new Members(record).text("type");
      return record;
    },
    "a record: ",
  );
}

/**
 * Whether a record looks like a session, without parsing it. What only looks like one is refused by the pass that parses it, so that
 * nothing can hide from the first one.
 */
export function looksLikeSession(line) {
  return lettersOf(line).includes('"type":"voice.session"');
}

/**
 * The period that a `leaderboard.period` is of.
 *
 * @throws {Fault}
 */
export function readPeriod(record) {
  return checkedAs("period", () => periodOf(new Members(record)));
}

function periodOf(of) {
  const optional = (name) => (of.record.has(name) ? of.natural(name) : -1);
  const rules = of.record.get("rules_sha256");
  if (!Array.isArray(rules) || rules.some((one) => typeof one !== "string")) {
    throw new Invalid("rules_sha256, a list of hashes", "another value or none");
  }
  return {
    guildId: of.id("guild_id"),
    guildSeq: of.natural("guild_seq"),
    kid: of.text("kid"),
    index: of.natural("period_index"),
    startedAtMs: of.number("started_at_ms"),
    endedAtMs: of.number("ended_at_ms"),
    rulesSha256: rules,
    sessionCount: of.natural("session_count"),
    sessionsRoot: of.text("sessions_root"),
    entryCount: of.natural("entry_count"),
    entriesRoot: of.text("entries_root"),
    first: optional("first_guild_seq"),
    last: optional("last_guild_seq"),
  };
}

/** The lines of `signatures.jsonl`. */
export function* signaturesOf(bag) {
  for (const line of linesOf(bag, "data/signatures.jsonl", "signatures")) {
    const [, at, kid, digest, signature] = matched(SIGNATURE, line, "signatures");
    decoded(digest, 32, "signatures");
    yield { guildSeq: Number(at), kid, digest, signature: decoded(signature, 64, "signatures") };
  }
}

/** The lines of `timelines.jsonl`; a timeline as its letters. */
export function* timelinesOf(bag) {
  for (const line of linesOf(bag, "data/timelines.jsonl", "timelines", TIMELINE_BYTES)) {
    const [, at, sessionId, timeline] = matched(TIMELINE, line, "timelines");
    yield { guildSeq: Number(at), sessionId, timeline };
  }
}

/** The lines of `redacted.jsonl`; the period is -1 where the record had none. */
export function* redactedOf(bag) {
  for (const line of linesOf(bag, "data/redacted.jsonl", "redacted")) {
    const [, at, period, digest, type] = matched(REDACTED, line, "redacted");
    yield { guildSeq: Number(at), periodIndex: period === undefined ? -1 : Number(period), digest: decoded(digest, 32, "redacted"), type };
  }
}

/** The lines of `entries.jsonl`; of an erased one only the leaf is known, and its `userId` is null. Times are BigInts. */
export function* entriesOf(bag) {
  for (const line of linesOf(bag, "data/entries.jsonl", "entries")) {
    const erased = LEAF.exec(lettersOf(line));
    if (erased !== null) {
      yield { leaf: decoded(erased[1], 32, "entries"), userId: null };
      continue;
    }
    const [, credited, rank, salt, count, userId] = matched(ENTRY, line, "entries");
    decoded(salt, 16, "entries");
    yield { leaf: leafHash(sha256(line)), creditedMs: BigInt(credited), rank: Number(rank), sessionCount: Number(count), userId };
  }
}

/**
 * The texts of rules by the b64url of their digests.
 *
 * @throws {Fault} They are not in ascending order of digest, or too large.
 */
export function rulesOf(bag) {
  if (bag.bytes("data/rules.jsonl").length > RULES_BYTES) throw new Fault("rules", `at most ${RULES_BYTES} bytes of rules`, "more");
  const found = new Map();
  let before = null;
  for (const line of linesOf(bag, "data/rules.jsonl", "rules", RULES_LINE_BYTES)) {
    const digest = sha256(line);
    if (before !== null && !isBelow(before, digest)) throw new Fault("rules", "rules in ascending order of digest", "another order");
    found.set(base64url(digest), textOf(line) ?? "");
    before = digest;
  }
  return found;
}

/** A line of a table (RFC 4180). A text that a spreadsheet would run is led by an apostrophe. */
export function csvRow(...cells) {
  return bytesOf(`${cells.map(cellText).join(",")}\r\n`);
}

function cellText(value) {
  if (typeof value !== "string") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[,"\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function isBelow(left, right) {
  const place = left.findIndex((byte, at) => byte !== right[at]);
  return place >= 0 && left[place] < right[place];
}

function matched(form, line, check) {
  const found = form.exec(lettersOf(line));
  if (found === null) throw new Fault(check, "a line of the form in docs/formats.md", lettersOf(line.subarray(0, 120)));
  return found;
}

function decoded(text, length, check) {
  const bytes = fromBase64url(text, length);
  if (bytes === null) throw new Fault(check, `${length} bytes in base64url`, text);
  return bytes;
}
