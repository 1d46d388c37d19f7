// Merkle trees of RFC 6962: roots computed as a stream, and inclusion proofs (RFC 9162, section 2.1.3.2).
import { base64url, sameBytes } from "./bytes.js";
import { Invalid } from "./report.js";
import { sha256 } from "./sha256.js";

const LEAF = Uint8Array.of(0x00);
const NODE = Uint8Array.of(0x01);
const RECORD_LEAF = Uint8Array.of(0x00, 0x01);

/** `SHA-256(0x00 || entry)`. */
export function leafHash(entry) {
  return sha256(LEAF, entry);
}

/** The leaf hash of a record's log entry, which is `0x01 || SHA-256(record)`. */
export function recordLeafHash(recordSha256) {
  return sha256(RECORD_LEAF, recordSha256);
}

/** A tree that only grows; only the roots of its complete subtrees are kept. */
export class RootBuilder {
  constructor() {
    this.peaks = [];
    this.size = 0;
  }

  add(leaf) {
    let subtree = leaf;
    for (let complete = this.size; complete % 2 === 1; complete = Math.floor(complete / 2)) {
      subtree = nodeHash(this.peaks.pop(), subtree);
    }
    this.peaks.push(subtree);
    this.size += 1;
  }

  /** Root of the tree so far; of the empty tree, SHA-256 of nothing. */
  root() {
    return this.size === 0 ? sha256() : this.peaks.reduceRight((right, left) => nodeHash(left, right));
  }
}

/**
 * Hold a leaf against a tree. Index and size are BigInts, below 2^64.
 *
 * @throws {Invalid}
 */
export function checkInclusion(leaf, index, size, proof, root) {
  if (index >= size) throw new Invalid(`an index below the tree's size ${size}`, String(index));
  let [at, last, hash] = [index, size - 1n, leaf];
  for (const sibling of proof) {
    if (last === 0n) throw new Invalid("fewer hashes in the proof", String(proof.length));
    if ((at & 1n) === 1n || at === last) {
      hash = nodeHash(sibling, hash);
      while ((at & 1n) === 0n && at !== 0n) {
        at >>= 1n;
        last >>= 1n;
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    at >>= 1n;
    last >>= 1n;
  }
  if (last !== 0n) throw new Invalid("more hashes in the proof", String(proof.length));
  if (!sameBytes(root, hash)) throw new Invalid(`root ${base64url(root)}`, base64url(hash));
}

function nodeHash(left, right) {
  return sha256(NODE, left, right);
}
