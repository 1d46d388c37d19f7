// The second pass over an export: every record, in order, with its signature, its timeline and its place. What is kept is linear in
// members, not in sessions.
import { base64url } from "./bytes.js";
import { csvRow, linesOf, looksLikeSession, readRecord, redactedOf, rulesOf, signaturesOf, timelinesOf } from "./bag_lines.js";
import { Fault, checkedAs } from "./findings.js";
import { RootBuilder, recordLeafHash } from "./merkle.js";
import { Invalid, NotPossible } from "./report.js";
import { Members, Session } from "./session_record.js";
import { sha256 } from "./sha256.js";

const BATCH = 256;
const SESSION = "voice.session";
const CORRECTION = "session.correction";
const COLUMNS = [
  "guild_seq", "session_id", "user_id", "channel_id", "joined_at", "left_at", "reason", "counted_ms", "bridged_ms", "unwitnessed_ms",
  "deafened_ms", "muted_ms", "solo_ms", "below_minimum", "credited_ms",
];
const [FIRST_MS, LAST_MS] = [-62135596800000, 253402300799999]; // the years 1 to 9999

/** A CSV file that must be what is written to it here. */
export class Table {
  constructor(bag, path) {
    [this.path, this.bytes, this.at] = [path, bag.bytes(path), 0];
  }

  /** @throws {Fault} The next bytes are others. */
  expect(row) {
    for (let place = 0; place < row.length; place += 1) {
      if (this.bytes[this.at + place] === row[place]) continue;
      const [expected, found] = [row, this.bytes.subarray(this.at, this.at + row.length)].map((some) => new TextDecoder().decode(some));
      throw new Fault("tables", `${this.path}: ${expected}`, found);
    }
    this.at += row.length;
  }

  finish() {
    if (this.at < this.bytes.length) throw new Fault("tables", `the end of ${this.path}`, "more");
  }
}

/**
 * Check the whole chain of an export, and come to its sums.
 *
 * @throws {Fault} The first thing that is wrong.
 */
export async function checkChain(bag, found, progress) {
  const chain = new Chain(bag, found);
  const total = bag.bytes("data/records.jsonl").length;
  let done = 0;
  for (const line of linesOf(bag, "data/records.jsonl", "records")) {
    chain.add(line, readRecord(line));
    done += line.length + 1;
    if (chain.waiting.length >= BATCH) {
      await chain.settle();
      progress("chain", done, total);
    }
  }
  return chain.totals();
}

class Chain {
  constructor(bag, found) {
    [this.found, this.period] = [found, found.period];
    this.first = this.period.first >= 0 ? this.period.first : this.period.guildSeq;
    this.rules = rulesOf(bag);
    [this.signatures, this.timelines, this.redacted] = [signaturesOf(bag), timelinesOf(bag), redactedOf(bag)];
    this.gone = this.redacted.next().value ?? null;
    this.table = new Table(bag, "data/sessions.csv");
    this.table.expect(csvRow(...COLUMNS));
    this.proven = new Set([...found.keyPositions, this.period.guildSeq]);
    [this.last, this.lastDigest] = [-1, ""];
    this.root = new RootBuilder();
    this.sums = new Map();
    this.digests = new Map();
    this.waiting = [];
    this.counts = { records: 0, redacted: 0, redactedSessions: 0, redactedCorrections: 0, unnamed: 0 };
  }

  add(line, record) {
    const of = new Members(record);
    checkedAs("records", () => of.chained(), "a record: ");
    const at = of.natural("guild_seq");
    while (this.gone !== null && this.gone.guildSeq < at) this.addRedacted();
    const digest = sha256(line);
    const name = base64url(digest);
    const type = record.get("type");
    this.place(at, type, name, record.get("prev") ?? "");
    if (record.get("guild_id") !== this.period.guildId) {
      throw new Fault("records", `guild_id ${this.period.guildId}`, `${record.get("guild_id")} at ${at}`);
    }
    this.sign(line, record, at, name);
    this.counts.records += 1;
    if (this.proven.has(at)) this.digests.set(at, digest);
    if ((type === SESSION) !== looksLikeSession(line)) {
      throw new Fault("records", "one type, the record's own", `two at guild_seq ${at}`);
    }
    if (type === SESSION) this.addSession(record, at, digest, name);
  }

  // Every position once, ascending, without a gap from the first session to the period's record.
  place(at, type, name, prev) {
    const { guildSeq: ends } = this.period;
    const hasGap = this.first < at && at <= ends ? this.last !== at - 1 : at > ends && ends > this.last;
    if (at <= this.last || hasGap) throw new Fault("chain", `guild_seq ${Math.max(this.last + 1, this.first)}`, String(at));
    const before = at > 0 ? this.lastDigest : "";
    if (prev !== null && at === this.last + 1 && prev !== before) {
      throw new Fault("chain", `prev ${before || "absent"} at guild_seq ${at}`, prev || "none");
    }
    const isInside = this.first <= at && at <= ends;
    if (!isInside && !type.startsWith("key.") && !(type === "record.redacted" && at > this.first)) {
      throw new Fault("chain", `guild_seq from ${this.first} to ${ends}`, `${type} at ${at}`);
    }
    [this.last, this.lastDigest] = [at, name];
  }

  addRedacted() {
    const { guildSeq: at, type, digest, periodIndex } = this.gone;
    this.place(at, type, base64url(digest), null);
    if (at < this.first || at >= this.period.guildSeq) {
      throw new Fault("chain", "erased records within the period's stretch", `one at ${at}`);
    }
    this.counts.redacted += 1;
    if (!this.found.isRedacted(at)) this.counts.unnamed += 1;
    if (type === CORRECTION) this.counts.redactedCorrections += 1;
    if (type === SESSION && periodIndex === this.period.index) {
      this.counts.redactedSessions += 1;
      this.addLeaf(at, digest);
    }
    this.gone = this.redacted.next().value ?? null;
  }

  addLeaf(at, digest) {
    if (at < this.first || at > this.period.last) {
      throw new Fault("period", `sessions from ${this.first} to ${this.period.last}`, String(at));
    }
    this.root.add(recordLeafHash(digest));
  }

  sign(line, record, at, name) {
    const kid = checkedAs("records", () => new Members(record).text("kid"), "a record: ");
    const said = this.signatures.next().value;
    if (said === undefined || said.guildSeq !== at || said.kid !== kid || said.digest !== name) {
      throw new Fault("signatures", `the signature of ${at} by ${kid}`, said === undefined ? "none" : `that of ${said.guildSeq}`);
    }
    const key = this.found.keys.get(kid);
    if (key === undefined) throw new Fault("keys", `the key ${kid} of guild_seq ${at}`, "no such key in keys/");
    const window = this.found.window(kid);
    if (!window.has(at)) throw new Fault("key-windows", `a position within that of ${kid}: ${window}`, String(at));
    this.waiting.push({ at, isSigned: key.verify(line, said.signature) });
  }

  /** The signatures so far are good. */
  async settle() {
    const some = this.waiting.splice(0);
    const results = await Promise.all(some.map(({ isSigned }) => isSigned));
    const wrong = some.find((_, place) => !results[place]);
    if (wrong !== undefined) throw new Fault("signatures", `a record that is signed at guild_seq ${wrong.at}`, "another signature");
  }

  addSession(record, at, digest, name) {
    const of = new Members(record);
    const [sessionId, rulesName] = checkedAs("sessions", () => [of.text("session_id"), base64url(of.hash("rules_sha256"))], `guild_seq ${at}: `);
    const said = this.timelines.next().value;
    if (said === undefined || said.guildSeq !== at || said.sessionId !== sessionId) {
      throw new Fault("timelines", `the timeline of ${sessionId} at ${at}`, said === undefined ? "none" : `that of ${said.guildSeq}`);
    }
    const rules = this.rules.get(rulesName);
    if (rules === undefined) throw new Fault("rules", `rules ${rulesName} of guild_seq ${at}`, "none such in data/rules.jsonl");
    checkSession(record, at, said.timeline, rules);
    const credited = BigInt(record.get("credited_ms")) + this.corrected(record, at, name);
    if (record.get("period_index") !== this.period.index) return;
    this.addLeaf(at, digest);
    const userId = record.get("user_id");
    const [sum, count] = this.sums.get(userId) ?? [0n, 0];
    this.sums.set(userId, [sum + credited, count + 1]);
    this.table.expect(sessionRow(record, at));
  }

  // What corrections add to a session, of those that the archive has.
  corrected(record, at, name) {
    let added = 0n;
    const length = BigInt(record.get("left_at_ms")) - BigInt(record.get("joined_at_ms"));
    for (const [position, delta] of this.found.corrections.get(name) ?? []) {
      if (position > this.period.last) continue; // shown beside the archive, not in it
      added += BigInt(delta);
      const whole = BigInt(record.get("credited_ms")) + added;
      if (whole < 0n || whole > length) {
        throw new Fault("corrections", `the session of ${at} within 0 and its length`, `${delta} at ${position}`);
      }
    }
    return added;
  }

  async totals() {
    if (this.gone !== null) throw new Fault("chain", "erased records within the period's stretch", `one at ${this.gone.guildSeq}`);
    if (!this.signatures.next().done || !this.timelines.next().done) {
      throw new Fault("signatures", "one signature a record, one timeline a session", "more");
    }
    await this.settle();
    this.table.finish();
    if (this.last < this.period.guildSeq) throw new Fault("chain", `guild_seq to ${this.period.guildSeq}`, String(this.last));
    if (this.root.size !== this.period.sessionCount) {
      throw new Fault("sessions-root", `${this.period.sessionCount} sessions`, String(this.root.size));
    }
    const root = base64url(this.root.root());
    if (root !== this.period.sessionsRoot) throw new Fault("sessions-root", this.period.sessionsRoot, root);
    const missing = this.period.rulesSha256.find((one) => !this.rules.has(one));
    if (missing !== undefined) throw new Fault("rules", `rules ${missing}, which the period names`, "none such in data/rules.jsonl");
    return { ...this.counts, sums: this.sums, sessions: this.root.size, digests: this.digests };
  }
}

// A session against its timeline and its rules; whether it was too short where its earlier parts need not be known.
function checkSession(record, at, timeline, rules) {
  let check = "session";
  const next = (name, work) => {
    check = name;
    return work()[0];
  };
  try {
    const session = next("session", () => Session.of(record));
    next("timeline-digest", () => session.checkTimelineDigest(timeline));
    next("rules-digest", () => session.checkRulesDigest(rules));
    const sums = next("timeline", () => session.partition(timeline));
    next("sums", () => session.checkSums(sums));
    const minimum = next("rules", () => session.underRules(rules, sums));
    next("below-minimum", () => session.checkBelowMinimum(sums, minimum));
  } catch (error) {
    if (error instanceof NotPossible) return;
    if (!(error instanceof Invalid)) throw error;
    throw new Fault("sessions", `guild_seq ${at}, ${check}: ${error.expected}`, error.found);
  }
}

function sessionRow(record, at) {
  const paused = record.get("paused_ms");
  return csvRow(
    at, ...["session_id", "user_id", "channel_id"].map((name) => record.get(name)), instantText(record.get("joined_at_ms")),
    instantText(record.get("left_at_ms")), ...["reason", "counted_ms", "bridged_ms", "unwitnessed_ms"].map((name) => record.get(name)),
    ...["deafened", "muted", "solo"].map((name) => paused.get(name)), record.get("below_minimum"), record.get("credited_ms"),
  );
}

function instantText(atMs) {
  if (atMs < FIRST_MS || atMs > LAST_MS) throw new Fault("sessions", "a time of the years 1 to 9999", String(atMs));
  return new Date(atMs).toISOString();
}
