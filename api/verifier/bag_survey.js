// A first pass over an export's records: the period's own record, keys and their windows, corrections and erasures.
import { linesOf, looksLikeSession, readPeriod, readRecord } from "./bag_lines.js";
import { Fault, checkedAs } from "./findings.js";
import { Invalid } from "./report.js";
import { Members } from "./session_record.js";

const TURN = 4096;

// The positions that a key is good for, both included; `first` is -1 before its activation was seen, `last` null without an end.
class Positions {
  constructor() {
    [this.first, this.last] = [-1, null];
  }

  end(last) {
    this.last = this.last === null ? last : Math.min(this.last, last);
  }

  has(position) {
    return this.first >= 0 && this.first <= position && (this.last === null || position <= this.last);
  }

  toString() {
    if (this.first < 0) return "no activation in this export";
    return `guild_seq ${this.first} ${this.last === null ? "on" : `to ${this.last}`}`;
  }
}

/** What the records say of each other. Memory is linear in keys, corrections and erasures. */
export class Survey {
  constructor(keys) {
    this.keys = keys;
    this.windows = new Map();
    this.keyPositions = [];
    this.corrections = new Map();
    this.period = null;
    this.ranges = [];
    this.records = 0;
  }

  /** The window of a key. */
  window(kid) {
    if (!this.windows.has(kid)) this.windows.set(kid, new Positions());
    return this.windows.get(kid);
  }

  add(record) {
    const of = new Members(record);
    const type = of.text("type");
    if (type === "leaderboard.period") this.period = readPeriod(record);
    else if (type === "session.correction") checkedAs("corrections", () => this.addCorrection(of));
    else if (type === "record.redacted") this.addRanges(record.get("redacts"));
    else if (type.startsWith("key.")) checkedAs("key-records", () => this.addKey(of, type));
  }

  addCorrection(of) {
    const [corrects, at, delta] = [of.text("corrects"), of.natural("guild_seq"), of.number("delta_ms")];
    if (!this.corrections.has(corrects)) this.corrections.set(corrects, []);
    this.corrections.get(corrects).push([at, delta]);
  }

  addRanges(ranges) {
    const isRange = (one) => Array.isArray(one) && one.length === 2 && one.every((end) => typeof end === "number");
    if (!Array.isArray(ranges) || !ranges.every(isRange)) {
      throw new Fault("redacted", "redacts, a list of [first, last]", "another value");
    }
    for (const range of ranges) this.ranges.push(range);
  }

  addKey(of, type) {
    const at = of.natural("guild_seq");
    this.keyPositions.push(at);
    const about = of.text(type === "key.revoke" ? "revokes" : "kid");
    const key = this.keys.get(about);
    if (key !== undefined) of.exactly("x", key.x);
    else if (type !== "key.revoke") throw new Invalid("a key of keys/", `${type} of ${about} at ${at}`);
    const window = this.window(about);
    if (type === "key.activate") {
      if (window.first >= 0) throw new Invalid(`one key.activate of ${about}`, `two, at ${window.first} and ${at}`);
      window.first = at;
      if (of.record.has("replaces")) this.window(of.text("replaces")).end(at - 1);
    } else if (type === "key.retire") window.end(at);
    else if (type === "key.revoke") window.end(of.number("last_good_guild_seq"));
    else throw new Invalid("key.activate, key.retire or key.revoke", type);
  }

  /** Order what was taken in, so that it can be asked. */
  settle() {
    const merged = [];
    for (const [first, last] of this.ranges.sort((left, right) => left[0] - right[0] || left[1] - right[1])) {
      const before = merged.at(-1);
      if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(last, before[1]);
      else merged.push([first, last]);
    }
    this.ranges = merged;
  }

  /** Whether a `record.redacted` in this export names a position. */
  isRedacted(position) {
    let [low, high] = [0, this.ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle][0] <= position) low = middle + 1;
      else high = middle;
    }
    return low > 0 && position <= this.ranges[low - 1][1];
  }
}

/**
 * Read all records once.
 *
 * @throws {Fault} One is no record, or there is none of a period.
 */
export function surveyRecords(bag, keys, progress) {
  const found = new Survey(keys);
  const total = bag.bytes("data/records.jsonl").length;
  let done = 0;
  for (const line of linesOf(bag, "data/records.jsonl", "records")) {
    if (!looksLikeSession(line)) found.add(readRecord(line));
    found.records += 1;
    done += line.length + 1;
    if (found.records % TURN === 0) progress("survey", done, total);
  }
  found.settle();
  if (found.period === null) throw new Fault("period", "a leaderboard.period", "none");
  return found;
}
