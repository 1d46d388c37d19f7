// The leaderboard of an export, recomputed: sums, ranks, order and root.
import { Table } from "./bag_chain.js";
import { csvRow, entriesOf } from "./bag_lines.js";
import { base64url } from "./bytes.js";
import { Fault } from "./findings.js";
import { RootBuilder } from "./merkle.js";

const COLUMNS = ["rank", "user_id", "credited_ms", "session_count"];
const TURN = 1024;

// Holds each entry against the one before: times descend, equal times share a rank and are listed by user id.
class Ranking {
  constructor() {
    [this.place, this.before, this.beforePlace, this.unsure] = [0, null, 0, 0];
  }

  add(entry) {
    this.place += 1;
    if (entry.userId === null) return;
    const { before } = this;
    if (before !== null && !isAfter(entry, before)) {
      throw new Fault("ranking", `an entry after ${before.userId} with ${before.creditedMs} ms`, entryText(entry));
    }
    let [least, most] = [this.beforePlace + 1, this.place]; // where erased entries are just before, they may share its rank
    if (before !== null && entry.creditedMs === before.creditedMs) [least, most] = [before.rank, before.rank];
    if (entry.rank < least || entry.rank > most) {
      throw new Fault("ranking", least === most ? `rank ${most}` : `rank ${least} to ${most}`, entryText(entry));
    }
    if (least !== most) this.unsure += 1;
    [this.before, this.beforePlace] = [entry, this.place];
  }
}

// Holds entries against sums. Without an erasure they are equal.
class Sums {
  constructor(seen) {
    this.seen = seen;
    this.members = new Map(seen.sums);
    [this.missingSessions, this.differing, this.erased] = [0, 0, 0];
  }

  add(entry) {
    if (entry.userId === null) {
      this.erased += 1;
      return;
    }
    const [credited, count] = this.members.get(entry.userId) ?? [0n, 0];
    this.members.delete(entry.userId);
    if (credited === entry.creditedMs && count === entry.sessionCount) return;
    const expected = `${entry.userId}: ${credited} ms of ${count} sessions`;
    this.missingSessions += entry.sessionCount - count;
    this.differing += 1;
    const { redactedSessions, redactedCorrections } = this.seen;
    const hasLost = redactedSessions > 0 && count < entry.sessionCount && (redactedCorrections > 0 || entry.creditedMs >= credited);
    if (!hasLost && !(redactedCorrections > 0 && count === entry.sessionCount)) throw new Fault("sums", expected, entryText(entry));
    if (this.missingSessions > redactedSessions) {
      throw new Fault("sums", `${expected} and ${redactedSessions} erased in all`, entryText(entry));
    }
  }

  // No member is left out but those whose entries are erased.
  finish() {
    if (this.members.size > this.erased) throw new Fault("sums", `an entry of ${this.members.keys().next().value}`, "none");
  }
}

/**
 * Recompute the leaderboard from the sessions, and note what could not be.
 *
 * @throws {Fault} It is another one.
 */
export function checkStanding(bag, period, seen, findings, progress) {
  const [ranking, sums, root] = [new Ranking(), new Sums(seen), new RootBuilder()];
  for (const entry of entriesOf(bag)) {
    ranking.add(entry);
    sums.add(entry);
    root.add(entry.leaf);
    if (root.size % TURN === 0) progress("entries", root.size, period.entryCount);
  }
  sums.finish();
  const found = base64url(root.root());
  if (root.size !== period.entryCount || found !== period.entriesRoot) {
    throw new Fault("entries-root", `${period.entryCount} entries, ${period.entriesRoot}`, `${root.size}, ${found}`);
  }
  checkTable(bag);
  findings.passed("entries-root", `${root.size} entries, ${found}`);
  findings.passed("tables", "both tables are what the signed lines say");
  const erased = sums.erased + sums.differing + sums.members.size;
  if (erased > 0 || seen.redactedSessions > 0) {
    findings.notPossible("erased-sums", `${erased} of ${root.size} entries can no longer be recomputed: erased`);
  }
  if (ranking.unsure > 0) {
    findings.notPossible("erased-ranks", `${ranking.unsure} ranks stand behind erased entries and may be any of a few`);
  }
  findings.passed("sums", `${root.size - erased} of ${root.size} entries are the sums of their sessions and corrections`);
  findings.passed("ranking", `${root.size} entries in order`);
}

function checkTable(bag) {
  const table = new Table(bag, "data/entries.csv");
  table.expect(csvRow(...COLUMNS));
  for (const entry of entriesOf(bag)) {
    if (entry.userId !== null) table.expect(csvRow(entry.rank, entry.userId, entry.creditedMs, entry.sessionCount));
  }
  table.finish();
}

function isAfter(entry, before) {
  if (entry.creditedMs !== before.creditedMs) return entry.creditedMs < before.creditedMs;
  return BigInt(entry.userId) > BigInt(before.userId);
}

function entryText(entry) {
  return `${entry.userId}: rank ${entry.rank}, ${entry.creditedMs} ms of ${entry.sessionCount} sessions`;
}
