// A session's record, its timeline and its rules: what the record says, and whether it follows.
import { base64url, bytesOf, fromBase64url, sameBytes } from "./bytes.js";
import { ProfileError, parseCanonical } from "./profile.js";
import { Invalid, NotPossible, shown } from "./report.js";
import { sha256 } from "./sha256.js";

/** Bytes of a record. */
export const MAX_RECORD_BYTES = 16 * 1024;
const MODES_THAT_TRACK = ["all", "allowlist", "denylist"];
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ID = /^(0|[1-9][0-9]{0,18})$/;
const MAX_ID = 2n ** 63n - 1n;
const SEGMENT = /\[(-?[0-9]{1,16}),(-?[0-9]{1,16}),"(counted|bridged|unwitnessed|deafened|muted|solo)"\]/y;
const CLAIMED = [
  "session_id", "guild_id", "user_id", "channel_id", "period_index", "joined_at_ms", "left_at_ms", "reason", "counted_ms",
  "bridged_ms", "unwitnessed_ms", "credited_ms", "below_minimum", "guild_seq", "signed_at_ms", "kid",
];

/**
 * A record that is canonical and an object.
 *
 * @throws {Invalid}
 */
export function canonicalRecord(text, length = bytesOf(text).length) {
  if (length > MAX_RECORD_BYTES) throw new Invalid(`at most ${MAX_RECORD_BYTES} bytes`, String(length));
  const expected = "the canonical JSON of an object";
  const value = readCanonical(text, expected);
  if (!(value instanceof Map)) throw new Invalid(expected, "another value");
  return [value, `${expected}, ${length} bytes`];
}

function readCanonical(text, expected) {
  try {
    return parseCanonical(text);
  } catch (error) {
    if (error instanceof ProfileError) throw new Invalid(expected, error.message);
    throw error;
  }
}

/** What of a record is shown, as it says it. */
export function claimsOf(record) {
  const plain = CLAIMED.filter((name) => ["string", "number", "boolean"].includes(typeof record.get(name)));
  return Object.fromEntries(plain.map((name) => [name, shown(record.get(name))]));
}

/** Reads a record's members by name and kind; each throws Invalid. */
export class Members {
  constructor(record) {
    this.record = record instanceof Map ? record : new Map();
  }

  of(name, kind, called) {
    const value = this.record.get(name);
    if (typeof value !== kind) throw new Invalid(`${name} that is ${called}`, "another value or none");
    return value;
  }

  text(name) {
    return this.of(name, "string", "a string");
  }

  exactly(name, expected) {
    const found = this.text(name);
    if (found !== expected) throw new Invalid(`${name} ${shown(expected)}`, shown(found));
  }

  number(name) {
    return this.of(name, "number", "a number");
  }

  natural(name) {
    const number = this.number(name);
    if (number < 0) throw new Invalid(`${name} from 0`, String(number));
    return number;
  }

  flag(name) {
    return this.of(name, "boolean", "true or false");
  }

  id(name) {
    const text = this.text(name);
    if (!ID.test(text) || BigInt(text) > MAX_ID) throw new Invalid(`${name} that is a Discord id`, shown(text));
    return text;
  }

  hash(name, length = 32) {
    const bytes = fromBase64url(this.text(name), length);
    if (bytes === null) throw new Invalid(`${name} of ${length} bytes in base64url`, shown(this.text(name)));
    return bytes;
  }

  /** What every record has (docs/formats.md). */
  chained() {
    if (this.number("v") !== 1) throw new Invalid("v 1", String(this.number("v")));
    const guildSeq = this.natural("guild_seq");
    this.number("signed_at_ms");
    this.id("guild_id");
    this.hash("salt", 16);
    if (guildSeq > 0) this.hash("prev");
    else if (this.record.has("prev")) throw new Invalid("no prev at guild_seq 0", "one");
  }
}

/** What a `voice.session` says. */
export class Session {
  /**
   * The session of a record that is complete.
   *
   * @throws {Invalid}
   */
  static of(record) {
    const of = new Members(record);
    of.exactly("type", "voice.session");
    of.chained();
    const sessionId = of.text("session_id");
    if (!UUID.test(sessionId)) throw new Invalid("session_id that is a UUID", shown(sessionId));
    of.id("user_id");
    of.natural("period_index");
    of.natural("stay");
    of.text("reason");
    return [new Session(of), `a voice.session, ${sessionId}`];
  }

  constructor(of) {
    this.joinedAt = of.number("joined_at_ms");
    this.leftAt = of.number("left_at_ms");
    if (this.joinedAt >= this.leftAt) throw new Invalid(`left_at_ms after ${this.joinedAt}`, String(this.leftAt));
    if (!of.record.has("paused_ms")) throw new Invalid("paused_ms", "none");
    const paused = new Members(of.record.get("paused_ms"));
    this.guildId = of.id("guild_id");
    this.guildSeq = of.natural("guild_seq");
    this.kid = of.text("kid");
    this.timelineSha256 = of.hash("timeline_sha256");
    this.rulesSha256 = of.hash("rules_sha256");
    this.channelId = of.id("channel_id");
    this.part = of.natural("part");
    this.said = {
      counted: of.natural("counted_ms"),
      bridged: of.natural("bridged_ms"),
      unwitnessed: of.natural("unwitnessed_ms"),
      deafened: paused.natural("deafened"),
      muted: paused.natural("muted"),
      solo: paused.natural("solo"),
      credited: of.natural("credited_ms"),
    };
    this.belowMinimum = of.flag("below_minimum");
  }

  checkTimelineDigest(timeline) {
    return digestOf(timeline, this.timelineSha256);
  }

  checkRulesDigest(rules) {
    return digestOf(rules, this.rulesSha256);
  }

  /** The sums of a timeline that is canonical and a partition of the session. */
  partition(timeline) {
    const sums = { counted: 0, bridged: 0, unwitnessed: 0, deafened: 0, muted: 0, solo: 0 };
    let [reached, before, count] = [this.joinedAt, null, 0];
    for (const [start, end, status] of segmentsOf(timeline)) {
      if (start !== reached || end <= start || status === before) {
        const expected = `a segment from ${reached} that is not empty and changes the status`;
        throw new Invalid(expected, `[${start}, ${end}, ${status}]`);
      }
      sums[status] += end - start;
      if (status === "bridged") sums.counted += end - start; // bridged time counts
      [reached, before, count] = [end, status, count + 1];
    }
    if (reached !== this.leftAt) throw new Invalid(`a timeline that ends at ${this.leftAt}`, String(reached));
    return [sums, `${count} segments, ${this.joinedAt} to ${this.leftAt}`];
  }

  /** Whether the record's sums are those of its timeline. */
  checkSums(sums) {
    const recomputed = { ...sums, credited: this.belowMinimum ? 0 : sums.counted };
    const isSame = Object.keys(recomputed).every((name) => recomputed[name] === this.said[name]);
    if (!isSame) throw new Invalid(sumsText(recomputed), sumsText(this.said));
    return [true, sumsText(recomputed)];
  }

  /** The shortest stay in seconds, if these are rules under which this timeline can come about. */
  underRules(rules, sums) {
    const of = new Members(readCanonical(rules, "canonical rules"));
    const mode = of.text("mode");
    if (!MODES_THAT_TRACK.includes(mode)) throw new Invalid("a mode that tracks", shown(mode));
    if (of.record.get("afk_channel_id") === this.channelId) throw new Invalid("a channel that is tracked", "the AFK channel");
    of.natural("bridge_gap_seconds");
    const switches = [["pause_on_deafen", "deafened"], ["pause_on_mute", "muted"], ["pause_when_solo", "solo"]];
    for (const [name, status] of switches) {
      if (sums[status] > 0 && !of.flag(name)) throw new Invalid(`${name} where time was paused so`, "false");
    }
    return [of.natural("min_session_seconds"), `rules of mode ${mode} that allow each pause`];
  }

  /** Whether too short is what it says; later parts of a stay build on parts that are not here. */
  checkBelowMinimum(sums, minimumSeconds) {
    const minimumMs = BigInt(minimumSeconds) * 1000n;
    const isLongEnough = BigInt(sums.counted) >= minimumMs;
    if (!isLongEnough && this.part > 0) {
      throw new NotPossible("it depends on earlier parts of the same stay, which are not in this file");
    }
    if (this.belowMinimum === isLongEnough) {
      throw new Invalid(`below_minimum ${!isLongEnough}: ${sums.counted} of ${minimumMs} ms`, String(this.belowMinimum));
    }
    return [true, `below_minimum ${this.belowMinimum}`];
  }
}

function digestOf(text, expected) {
  const found = sha256(bytesOf(text));
  if (!sameBytes(found, expected)) throw new Invalid(base64url(expected), base64url(found));
  return [true, base64url(expected)];
}

// The canonical JSON of a timeline, read as what it is: a list of [start, end, status].
function* segmentsOf(timeline) {
  if (timeline === "[]") return;
  const isList = timeline.startsWith("[") && timeline.endsWith("]");
  for (let at = 1; at < timeline.length || !isList; ) {
    SEGMENT.lastIndex = at;
    const found = isList ? SEGMENT.exec(timeline) : null;
    const [start, end] = found === null ? [NaN, NaN] : [Number(found[1]), Number(found[2])];
    const isPlain = found !== null && [[start, found[1]], [end, found[2]]].every(isCanonicalInteger);
    const after = found === null ? at : at + found[0].length;
    const isLast = after === timeline.length - 1;
    if (!isPlain || (!isLast && timeline[after] !== ",")) {
      throw new Invalid("canonical JSON of a list of [start, end, status]", "another text");
    }
    yield [start, end, found[3]];
    if (isLast) return;
    at = after + 1;
  }
}

function isCanonicalInteger([number, text]) {
  return Number.isSafeInteger(number) && String(number) === text;
}

function sumsText(sums) {
  const names = ["counted", "bridged", "unwitnessed", "deafened", "muted", "solo", "credited"];
  return `${names.map((name) => `${name} ${sums[name]}`).join(", ")} ms`;
}
