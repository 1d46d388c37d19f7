// For which positions of its guild's chain a key is good, by the key records in a receipt (docs/formats.md, "Records").
import { bytesOf } from "./bytes.js";
import { checkInclusion, recordLeafHash } from "./merkle.js";
import { Invalid, shown } from "./report.js";
import { Members, canonicalRecord } from "./session_record.js";
import { sha256 } from "./sha256.js";

/** The positions that a key is good for, both included; a null last: the file names no end. */
class KeyWindow {
  constructor(first, last, activatedLeaf, lastLeaf) {
    Object.assign(this, { first, last, activatedLeaf, lastLeaf });
  }

  /** Whether the session's position is inside, and the log has the activation before it. */
  covers(session, leaf) {
    const at = session.guildSeq;
    if (at <= this.first || (this.last !== null && at > this.last)) {
      throw new Invalid(`a position after the activation, in ${this}`, String(at));
    }
    if (this.activatedLeaf >= leaf) {
      throw new Invalid(`a record logged after its key's activation, leaf ${this.activatedLeaf}`, `leaf ${leaf}`);
    }
    // A position can be used again with a stolen key; a leaf of a log that others watch cannot.
    if (this.lastLeaf !== null && leaf > this.lastLeaf) {
      throw new Invalid(`a record logged no later than the last good one, leaf ${this.lastLeaf}`, `leaf ${leaf}`);
    }
    return [true, `guild_seq ${at} in ${this}`];
  }

  toString() {
    return this.last === null ? `guild_seq ${this.first} on (this file names no end)` : `guild_seq ${this.first} to ${this.last}`;
  }
}

/**
 * The window of a key, if each of the key records is signed, of the guild, and about this key.
 *
 * @throws {Invalid}
 */
export async function keyWindow(records, key, session) {
  let [begin, last, lastLeaf] = [null, null, null];
  for (const one of records) {
    const said = await saidBy(one, key, session.guildId);
    if (said.from === undefined) {
      last = least(last, said.until);
      lastLeaf = least(lastLeaf, said.untilLeaf ?? null);
    } else if (begin !== null) throw new Invalid("one key.activate of the key", "two");
    else begin = said;
  }
  if (begin === null) throw new Invalid(`key.activate of ${key.kid}`, "none");
  const window = new KeyWindow(begin.from, last, begin.leaf, lastLeaf);
  return [window, `${records.length} key records: ${window}`];
}

function least(known, end) {
  if (known === null || end === null) return known ?? end;
  return Math.min(known, end);
}

async function saidBy(one, key, guildId) {
  const [record] = canonicalRecord(one.record);
  const isSigned = await one.signer.verify(bytesOf(one.record), one.signature);
  if (record.get("kid") !== one.signer.kid || !isSigned) {
    throw new Invalid("a key record that its key signed", "one that its key did not sign");
  }
  const of = new Members(record);
  of.chained();
  of.exactly("guild_id", guildId);
  const at = of.natural("guild_seq");
  const type = of.text("type");
  if (type === "key.activate" && record.get("replaces") === key.kid) return { until: at - 1 };
  if (!["key.activate", "key.retire", "key.revoke"].includes(type)) {
    throw new Invalid("key.activate, key.retire or key.revoke", shown(type));
  }
  of.exactly(type === "key.revoke" ? "revokes" : "kid", key.kid);
  of.exactly("x", key.x);
  if (type === "key.activate") return { from: at, leaf: one.proof.index };
  if (type === "key.retire") return { until: at };
  // Named only where the last good record was logged already.
  const untilLeaf = record.has("last_good_leaf_index") ? of.natural("last_good_leaf_index") : null;
  return { until: of.number("last_good_guild_seq"), untilLeaf };
}

/**
 * Whether each key record is in the tree of the one checkpoint that the session's proof ends in.
 *
 * @throws {Invalid}
 */
export function checkLogged(records, proof, checkpoint) {
  for (const one of records) {
    if (one.proof.checkpoint !== proof.checkpoint) {
      throw new Invalid("the checkpoint of the session's proof", "another checkpoint");
    }
    checkIncluded(bytesOf(one.record), one.proof, checkpoint);
  }
  return [true, `${records.length} key records in the log`];
}

/**
 * Whether a record is in the tree of a checkpoint, by its proof.
 *
 * @throws {Invalid}
 */
export function checkIncluded(record, proof, checkpoint) {
  try {
    checkInclusion(recordLeafHash(sha256(record)), proof.index, checkpoint.size, proof.hashes, checkpoint.root);
  } catch (error) {
    if (!(error instanceof Invalid)) throw error;
    throw new Invalid(`leaf ${proof.index} of the signed tree`, error.message);
  }
  return [true, `leaf ${proof.index} of ${checkpoint.size}`];
}
