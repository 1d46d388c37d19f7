// The verifier's modules one by one: against the figures of the standards, against Node's own, and against the shared vectors.
import assert from "node:assert/strict";
import { createHash, createPrivateKey, createPublicKey, randomBytes, sign } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { base64, base64url, fromBase64, fromBase64url, hex } from "../../api/verifier/bytes.js";
import { PublicKey, checkEngine } from "../../api/verifier/ed25519.js";
import { RootBuilder, checkInclusion, leafHash } from "../../api/verifier/merkle.js";
import { canonicalText, parseCanonical, parseProfile } from "../../api/verifier/profile.js";
import { Sha256, sha256 } from "../../api/verifier/sha256.js";
import { Verifier, openCheckpoint, parseProofFile } from "../../api/verifier/signed_note.js";

const VECTORS = new URL("../../../shared/vectors/", import.meta.url);
const unhex = (text) => Uint8Array.from(Buffer.from(text, "hex"));
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const P = 2n ** 255n - 19n;

// A test over a shared vector; it says so where that is absent.
function vectorTest(name, path, check) {
  const url = new URL(path, VECTORS);
  const skip = existsSync(url) ? false : `no vector ${fileURLToPath(url)}`;
  test(name, { skip }, () => check(url));
}

test("this Node has what the page asks of a browser", async () => {
  assert.equal(await checkEngine(), null);
});

test("SHA-256 is that of FIPS 180-4 and of others, in parts of any length", () => {
  assert.equal(hex(sha256(Buffer.from("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  assert.equal(hex(sha256()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  for (let length = 0; length < 300; length += 1) {
    const bytes = randomBytes(length);
    const hash = new Sha256();
    for (let at = 0; at < length; ) {
      const next = at + 1 + (randomBytes(1)[0] % 90);
      hash.update(bytes.subarray(at, next));
      at = next;
    }
    const theirs = createHash("sha256").update(bytes).digest("hex");
    assert.equal(hex(hash.digest()), theirs);
    assert.equal(hex(sha256(bytes)), theirs);
  }
});

test("base64 has one spelling of each value", () => {
  for (let length = 0; length < 70; length += 1) {
    const bytes = new Uint8Array(randomBytes(length));
    assert.equal(base64(bytes), Buffer.from(bytes).toString("base64"));
    assert.equal(base64url(bytes), Buffer.from(bytes).toString("base64url"));
    assert.deepEqual(fromBase64(base64(bytes)), bytes);
    assert.deepEqual(fromBase64url(base64url(bytes), length), bytes);
  }
  for (const text of ["A", "AA", "AAA", "AA==A", "AB==", "AAB=", "AA=", "A===", "====", "AA= ", "AA\n=", "-A==", "\u0100A=="]) {
    assert.equal(fromBase64(text), null, text);
  }
  for (const [text, length] of [["AB", 1], ["AAB", 2], ["AA==", 1], ["A+", 1], ["AAA", 1], ["", 1], ["AA", 2], [undefined, 0]]) {
    assert.equal(fromBase64url(text, length), null, text);
  }
});

test("what is outside of the profile is refused", () => {
  const outside = [
    "", " ", "nul", "null", '{"a":null}', "01", "-0", "1.0", "1e3", "1E3", "-", "+1", ".5", "9007199254740992", "-9007199254740992",
    "99999999999999999999999999", "00", "0x1", "NaN", '{"a":1,"a":1}', '{"a":1,"\\u0061":2}', '{"A":1}', '{"":1}', '{"__proto__":1}',
    '{"a":1,}', "[1,]", "[1 2]", '{"a" 1}', "{a:1}", "'a'", '"\n"', '"\\x"', '"\\ud800"', '"\\udc00"', '"\\ud800\\u0041"', '"\\u12"',
    '"a', "[", "[[", "[[[[[[[[[]]]]]]]]]", "true1", "truefalse", "1 1", "\ufeff1", `{"${"a".repeat(41)}":1}`, '{"a\n":1}', "\u00a01",
  ];
  for (const text of outside) assert.throws(() => parseProfile(text), /letter/, text);
  assert.throws(() => parseProfile(null), /UTF-8/);
  const inside = ["0", "-1", "9007199254740991", " [ ] ", "[[[[[[[[]]]]]]]]", '"\\ud83d\\ude00"', `{"${"a".repeat(40)}":1}`, "true", '"\\/"'];
  for (const text of inside) parseProfile(text);
});

test("canonical is to the letter", () => {
  assert.equal(canonicalText(parseProfile(' {"b": [1, "\\u0001\\u000a\\u00e9\\/"], "a": {}}')), '{"a":{},"b":[1,"\\u0001\\né/"]}');
  for (const text of ['{"a":1 }', '{"b":1,"a":1}', '"\\u0041"', '"\\/"', "[1, 2]", '"\\u000A"']) {
    assert.throws(() => parseCanonical(text), /not canonical/, text);
  }
});

test("Ed25519 keys that libsodium refuses are refused", () => {
  const small = [
    "00".repeat(32), "01" + "00".repeat(31), "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "ec" + "ff".repeat(30) + "7f", "ed" + "ff".repeat(30) + "7f",
    "ee" + "ff".repeat(30) + "7f",
  ];
  for (const text of small) {
    const bytes = unhex(text);
    assert.equal(PublicKey.from(bytes), null, text);
    bytes[31] |= 0x80;
    assert.equal(PublicKey.from(bytes), null, `${text} with the sign`);
  }
  for (let above = 0n; above < 19n; above += 1n) {
    for (const sign of [0n, 1n]) assert.equal(PublicKey.from(little(P + above + (sign << 255n))), null);
  }
  assert.equal(PublicKey.from(unhex("02" + "00".repeat(31))), null, "no point has y = 2");
  assert.equal(PublicKey.from(new Uint8Array(31)), null);
  assert.equal(PublicKey.from(null), null);
});

test("a signature has one spelling, and R is no point of small order", async () => {
  const { key, message, signature } = signedAnew();
  assert.equal(await key.verify(message, signature), true);
  const scalar = BigInt(`0x${hex(signature.slice(32).reverse())}`);
  for (const multiple of [1n, 2n, 4n, 8n]) {
    const other = new Uint8Array([...signature.slice(0, 32), ...little((scalar + multiple * ORDER) % 2n ** 256n)]);
    assert.equal(await key.verify(message, other), false, `S + ${multiple} L`);
  }
  for (let place = 0; place < 64; place += 1) {
    const other = signature.slice();
    other[place] ^= 1 << (place % 8);
    assert.equal(await key.verify(message, other), false);
  }
  for (const length of [0, 63, 65]) assert.equal(await key.verify(message, new Uint8Array(length)), false);
});

test("who knows the secret can make a signature with R of small order that plain verification takes: it is refused", async () => {
  const { key, secret, message } = signedAnew();
  const identity = unhex("01" + "00".repeat(31));
  const clamped = new Uint8Array(createHash("sha512").update(secret).digest()).slice(0, 32);
  clamped[0] &= 248;
  clamped[31] = (clamped[31] & 127) | 64;
  const challenge = createHash("sha512").update(identity).update(key.bytes).update(message).digest();
  const s = (number(challenge) * number(clamped)) % ORDER; // r = 0
  const signature = new Uint8Array([...identity, ...little(s)]);
  const plain = await crypto.subtle.importKey("raw", key.bytes, "Ed25519", false, ["verify"]);
  assert.equal(await crypto.subtle.verify("Ed25519", plain, signature, message), true, "Node takes it, as many do");
  assert.equal(await key.verify(message, signature), false);
});

test("roots and proofs of trees of any size agree with RFC 6962 as it is written", () => {
  for (let size = 0; size < 40; size += 1) {
    const leaves = Array.from({ length: size }, (_, place) => leafHash(Uint8Array.of(place)));
    const tree = new RootBuilder();
    for (const leaf of leaves) tree.add(leaf);
    const root = rootOf(leaves);
    assert.deepEqual(tree.root(), root);
    leaves.forEach((leaf, index) => {
      const path = pathOf(index, leaves);
      checkInclusion(leaf, BigInt(index), BigInt(size), path, root);
      assert.throws(() => checkInclusion(leaf, BigInt(index), BigInt(size), [...path, leaf], root), /fewer hashes/);
      if (path.length > 0) assert.throws(() => checkInclusion(leaf, BigInt(index), BigInt(size), path.slice(1), root));
      if (size > 1) assert.throws(() => checkInclusion(leaf, BigInt((index + 1) % size), BigInt(size), path, root));
    });
  }
});

vectorTest("RFC 8032's signatures", "ed25519-rfc8032/dalek-TESTVECTORS", async (url) => {
  for (const line of readFileSync(url, "latin1").trim().split("\n")) {
    const [, x, message, signed] = line.split(":").map(unhex);
    const key = PublicKey.from(x);
    assert.equal(await key.verify(message, signed.slice(0, 64)), true);
    assert.equal(await key.verify(new Uint8Array([...message, 0]), signed.slice(0, 64)), false);
  }
});

vectorTest("a key in every public form", "derived/keys.json", (url) => {
  for (const known of Object.values(JSON.parse(readFileSync(url, "utf8")).keys)) {
    const key = PublicKey.from(unhex(known.public_hex));
    assert.equal(key.kid, known.rfc7638_thumbprint);
    if (known.note_key_name.startsWith("witness.")) {
      assert.throws(() => Verifier.parse(known.note_vkey), /algorithm/); // cosignatures are another format
      continue;
    }
    assert.equal(new Verifier(known.note_key_name, key).vkey, known.note_vkey);
    assert.equal(hex(Verifier.parse(known.note_vkey).id), known.note_key_id_hex);
  }
});

vectorTest("the signing profile", "derived/jcs-profile.json", (url) => {
  const { reject, accept } = JSON.parse(readFileSync(url, "utf8"));
  for (const { text, why } of reject) assert.throws(() => parseProfile(text), why);
  for (const one of accept ?? []) parseProfile(one.text ?? one);
});

vectorTest("inclusion proofs as others judge them", "merkle-rfc6962/testdata/inclusion", (folder) => {
  let judged = 0;
  const files = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json"));
  for (const name of files) {
    const { leafIdx, treeSize, root, leafHash: leaf, proof, wantErr } = JSON.parse(readFileSync(`${fileURLToPath(folder)}/${name}`, "utf8"));
    const bytes = (text) => new Uint8Array(Buffer.from(text ?? "", "base64"));
    const isWritable = leafIdx >= 0 && treeSize >= 0 && [leaf, root, ...(proof ?? [])].every((text) => bytes(text).length === 32);
    if (!isWritable) continue; // our formats have no such numbers, and no hashes of another length
    const check = () => checkInclusion(bytes(leaf), BigInt(leafIdx), BigInt(treeSize), (proof ?? []).map(bytes), bytes(root));
    if (wantErr) assert.throws(check, name);
    else check();
    judged += 1;
  }
  assert.ok(judged > 50);
});

vectorTest("a whole log's proofs and checkpoints", "derived/tlog/proofs.json", async (url) => {
  const { vkey, inclusion } = JSON.parse(readFileSync(url, "utf8"));
  const verifier = Verifier.parse(vkey);
  const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
  for (const one of inclusion) {
    assert.equal(base64(leafHash(unhex(one.entry_hex))), one.leaf_hash_b64);
    checkInclusion(bytes(one.leaf_hash_b64), BigInt(one.index), BigInt(one.size), one.proof_b64.map(bytes), bytes(one.root_b64));
  }
  for (const index of [0, 17, 299]) {
    const file = parseProofFile(readFileSync(new URL(`proofs/${index}.tlog-proof`, url), "utf8"));
    assert.equal(file.index, BigInt(index));
    assert.equal((await openCheckpoint(file.checkpoint, verifier)).origin, verifier.name);
  }
});

function signedAnew() {
  const secret = randomBytes(32);
  const pkcs8 = Buffer.concat([unhex("302e020100300506032b657004220420"), secret]);
  const privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  const { x } = createPublicKey(privateKey).export({ format: "jwk" });
  const message = new Uint8Array(randomBytes(50));
  return { key: PublicKey.from(fromBase64url(x, 32)), secret, message, signature: new Uint8Array(sign(null, message, privateKey)) };
}

function number(bytes) {
  return BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);
}

function little(value) {
  return unhex(value.toString(16).padStart(64, "0")).reverse();
}

// RFC 6962, section 2.1, word for word.
function rootOf(leaves) {
  if (leaves.length === 0) return sha256();
  if (leaves.length === 1) return leaves[0];
  const split = splitOf(leaves.length);
  return sha256(Uint8Array.of(1), rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)));
}

function pathOf(index, leaves) {
  if (leaves.length === 1) return [];
  const split = splitOf(leaves.length);
  return index < split
    ? [...pathOf(index, leaves.slice(0, split)), rootOf(leaves.slice(split))]
    : [...pathOf(index - split, leaves.slice(split)), rootOf(leaves.slice(0, split))];
}

function splitOf(size) {
  let split = 1;
  while (split * 2 < size) split *= 2;
  return split;
}
