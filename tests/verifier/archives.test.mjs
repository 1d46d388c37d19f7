// Inflating and unpacking what anybody may have written: against Node's zlib, cut short, changed, and blown up.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { constants, gunzipSync, gzipSync } from "node:zlib";

import { inflateGzip } from "../../api/verifier/gzip.js";
import { Invalid, Unusable } from "../../api/verifier/report.js";
import { isSafePath, unpack } from "../../api/verifier/tar.js";

const STRATEGIES = [constants.Z_DEFAULT_STRATEGY, constants.Z_FILTERED, constants.Z_HUFFMAN_ONLY, constants.Z_RLE, constants.Z_FIXED];
const KINDS = [
  (length) => randomBytes(length),
  (length) => Buffer.alloc(length, "ab"),
  (length) => Buffer.from(Array.from({ length: length / 20 }, (_, row) => `{"guild_seq":${row * 7919}}`).join("\n")),
];

function inflated(bytes) {
  return Buffer.concat([...inflateGzip(new Uint8Array(bytes))]);
}

test("what others pack is inflated to the same bytes, at every level and by every strategy", () => {
  for (const [place, strategy] of STRATEGIES.entries()) {
    for (let level = 0; level <= 9; level += 1) {
      for (const kind of KINDS) {
        const bytes = kind(1 + ((level * 31 + place) * 7919) % 150_000);
        assert.ok(inflated(gzipSync(bytes, { level, strategy })).equals(bytes));
      }
    }
  }
  assert.equal(inflated(gzipSync("")).length, 0);
});

test("a file that was cut short or changed is unusable, or comes to what zlib makes of it", () => {
  const packed = gzipSync(KINDS[2](3000));
  for (let length = 0; length < packed.length; length += 1) {
    assert.throws(() => inflated(packed.subarray(0, length)), Unusable, String(length));
  }
  for (let place = 0; place < packed.length * 8; place += 1) {
    const changed = Buffer.from(packed);
    changed[place >> 3] ^= 1 << (place & 7);
    let theirs = null;
    try {
      theirs = gunzipSync(changed);
    } catch {
      assert.throws(() => inflated(changed), undefined, String(place));
      continue;
    }
    let ours = null;
    try {
      ours = inflated(changed);
    } catch (error) {
      // zlib in Node passes over what follows a member
      assert.ok(error instanceof Invalid, String(place));
      continue;
    }
    assert.ok(ours.equals(theirs), String(place));
  }
});

test("what follows a member is found, another member too", () => {
  const packed = gzipSync("x");
  for (const more of [Buffer.from("m"), Buffer.alloc(1), packed]) assert.throws(() => inflated(Buffer.concat([packed, more])), Invalid);
});

test("a bomb is given up at its limit, and its parts are small", () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
  let largest = 0;
  for (const part of inflateGzip(new Uint8Array(bomb))) largest = Math.max(largest, part.length);
  assert.equal(largest, 65536);
  assert.throws(() => unpack(new Uint8Array(bomb), () => {}), /times its size|empty/);
  const claims = Buffer.alloc(512);
  claims.write("bag/a");
  claims.write("77777777777\0", 124);
  claims.write("0", 156);
  claims.fill(" ", 148, 156);
  claims.write(`${claims.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
  assert.throws(() => unpack(new Uint8Array(gzipSync(claims)), () => {}), Unusable);
  assert.throws(() => unpack(new Uint8Array(gzipSync(Buffer.concat([claims, Buffer.alloc(40 * 1024 * 1024)]))), () => {}), /times its size/);
});

test("random bytes are never anything but unusable or invalid", () => {
  for (let round = 0; round < 2000; round += 1) {
    const bytes = new Uint8Array(randomBytes(1 + (round % 300)));
    bytes.set([0x1f, 0x8b, 8, round % 3 === 0 ? bytes[3] & 0x1f : 0].slice(0, bytes.length));
    try {
      unpack(bytes, () => {});
      assert.fail("unpacked");
    } catch (error) {
      assert.ok(error instanceof Unusable || error instanceof Invalid, String(error.stack));
    }
  }
});

test("only plain names are safe", () => {
  for (const path of ["a", "a/b/c/d", "A-1_.x", `${"a".repeat(100)}`]) assert.ok(isSafePath(path), path);
  for (const path of ["", "/", "a/", "/a", "a//b", "..", "a/../b", ".", "./a", ".a", "a\\b", "a b", "a\n", "é", "a/b/c/d/e", "a".repeat(101)]) {
    assert.ok(!isSafePath(path), path);
  }
});
