// The wrapping of an export (a bag by RFC 8493): which files there are, their hashes, its keys, and the export key's signatures.
import { base64, bytesOf, fromBase64, hex, joined, lettersOf } from "./bytes.js";
import { Fault } from "./findings.js";
import { keyOfPem } from "./pins.js";
import { Invalid, Unusable } from "./report.js";
import { sha256 } from "./sha256.js";
import { Verifier } from "./signed_note.js";
import { isSafePath } from "./tar.js";

const MANIFEST = "manifest-sha256.txt";
const TAG_MANIFEST = "tagmanifest-sha256.txt";
const SIGNATURES = [`${TAG_MANIFEST}.sig`, `${TAG_MANIFEST}.sshsig`];
const BAGIT = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const IDENTITY = "rollcall";
const NAMESPACE = "rollcall-export";
const SMALL = 4 * 1024 * 1024;
const LINE = /([0-9a-f]{64}) {2}([A-Za-z0-9._/-]{1,250})\n/y;
const INFO = /External-Identifier: ([0-9]{1,19})\/([0-9]{1,16})\n/;
const SPKI = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);
const SSH_LINE = 70;

/** A bag's files by their paths. */
export class Bag {
  /** @throws {Unusable} It is no bag. */
  constructor(files) {
    for (const path of [TAG_MANIFEST, MANIFEST]) {
      if (!files.has(path)) throw new Unusable(`it has no ${path}: it is no period export`);
    }
    this.files = files;
  }

  /** @throws {Fault} There is no such file. */
  bytes(path) {
    const found = this.files.get(path);
    if (found === undefined) throw new Fault("files", path, "no such file");
    return found;
  }

  /** The bytes of a file that is never large. */
  small(path) {
    const bytes = this.bytes(path);
    if (bytes.length > SMALL) throw new Fault("files", `${path} of at most ${SMALL} bytes`, "more");
    return bytes;
  }

  /** The same as letters, one for each byte. */
  letters(path) {
    return lettersOf(this.small(path));
  }
}

/**
 * All files are named, all that are named are there, and each has its digest. How many files.
 *
 * @throws {Fault}
 */
export function checkHashes(bag, progress) {
  const payload = readManifest(bag.letters(MANIFEST), "manifest");
  const tags = readManifest(bag.letters(TAG_MANIFEST), "tag-manifest");
  const isData = (path) => path.startsWith("data/");
  if ([...tags.keys()].some(isData) || ![...payload.keys()].every(isData)) {
    throw new Fault("files", "data/ in the manifest and the rest in the tag manifest", "otherwise");
  }
  const named = new Set([...payload.keys(), ...tags.keys(), TAG_MANIFEST, ...SIGNATURES]);
  const unnamed = [...bag.files.keys()].filter((path) => !named.has(path)).sort();
  if (unnamed.length > 0) throw new Fault("files", "a file that is named", unnamed[0]);
  const absent = [...named].filter((path) => !bag.files.has(path)).sort();
  if (absent.length > 0) throw new Fault("files", "a file that is there", absent[0]);
  const total = [...bag.files.values()].reduce((length, bytes) => length + bytes.length, 0);
  let done = 0;
  for (const [check, listed] of [["tag-manifest", tags], ["manifest", payload]]) {
    for (const [path, digest] of listed) {
      const found = hex(sha256(bag.bytes(path)));
      if (found !== digest) throw new Fault(check, `${path} ${digest}`, found);
      done += bag.bytes(path).length;
      progress("hash", done, total);
    }
  }
  if (bag.letters("bagit.txt") !== BAGIT) throw new Fault("files", "bagit.txt of BagIt 1.0", "another");
  return bag.files.size;
}

// Path and digest of each line, in the one form that ours have: sorted, each path once.
function readManifest(letters, check) {
  const found = new Map();
  let before = "";
  for (let at = 0; at < letters.length; ) {
    LINE.lastIndex = at;
    const line = LINE.exec(letters);
    if (line === null || !isSafePath(line[2]) || found.has(line[2])) {
      throw new Fault(check, "lines of a SHA-256 and a plain path, each once", letters.slice(at, at + 80));
    }
    if (line[2] < before) throw new Fault(check, "paths in ascending order", "another order");
    found.set(line[2], line[1]);
    before = line[2];
    at += line[0].length;
  }
  return found;
}

/**
 * The bag's keys: of exports, of the log (a Verifier), and of records by their ids.
 *
 * @throws {Fault}
 */
export function bagKeys(bag) {
  const exportKey = oneKey(bag, "keys/export.pem");
  const log = logKey(bag);
  const records = new Map();
  for (const path of [...bag.files.keys()].sort()) {
    if (!path.startsWith("keys/record-")) continue;
    const key = oneKey(bag, path);
    if (path !== `keys/record-${key.kid}.pem`) throw new Fault("keys", `keys/record-${key.kid}.pem`, path);
    records.set(key.kid, key);
  }
  if (bag.letters("keys/jwks.json") !== jwksOf([...records.values(), exportKey])) {
    throw new Fault("keys", "keys/jwks.json of the keys here", "another set");
  }
  const signer = `${IDENTITY} namespaces="${NAMESPACE}" ssh-ed25519 ${base64(sshKey(exportKey))}\n`;
  if (bag.letters("keys/allowed_signers") !== signer) {
    throw new Fault("keys", "keys/allowed_signers with the export key", "another");
  }
  return { export: exportKey, log, records };
}

function oneKey(bag, path) {
  const letters = bag.letters(path);
  const key = keyOfPem(letters);
  if (key === null) throw new Fault("keys", `${path}: one Ed25519 key`, "none, or more");
  const pem = `-----BEGIN PUBLIC KEY-----\n${base64(joined(SPKI, key.bytes))}\n-----END PUBLIC KEY-----\n`;
  if (letters !== pem) throw new Fault("keys", `${path} in PEM`, "another form");
  return key;
}

function logKey(bag) {
  try {
    return Verifier.parse(bag.letters("keys/log.vkey").replace(/\n$/, ""));
  } catch (error) {
    if (!(error instanceof Invalid) || error instanceof Fault) throw error;
    throw new Fault("keys", "keys/log.vkey: a verifier key", error.message);
  }
}

function jwksOf(keys) {
  const byId = new Map(keys.map((key) => [key.kid, key]));
  const listed = [...byId.keys()].sort().map((kid) => `{"crv":"Ed25519","kid":"${kid}","kty":"OKP","use":"sig","x":"${byId.get(kid).x}"}`);
  return `{"keys":[${listed.join(",")}]}\n`;
}

/**
 * Both signatures of the tag manifest are the key's.
 *
 * @throws {Fault}
 */
export async function checkSignatures(bag, key) {
  const text = bag.small(TAG_MANIFEST);
  const [raw, armoured] = [bag.small(SIGNATURES[0]), bag.letters(SIGNATURES[1])];
  if (!(await key.verify(text, raw))) {
    throw new Fault("export-signature", `a signature by ${key.kid}`, "one that does not verify over the tag manifest");
  }
  const blob = fromBase64(armoured.split("\n").slice(1, -2).join("")) ?? new Uint8Array(0);
  const signature = blob.slice(-64);
  // The last 64 bytes are the signature; that all else is as it must be is seen by writing it anew.
  const isOurForm = signature.length === 64 && armouredSignature(key, signature) === armoured;
  if (!isOurForm || !(await key.verify(await signedBySsh(text), signature))) {
    throw new Fault("export-signature", "an SSH signature by the same key", "another");
  }
}

// OpenSSH, PROTOCOL.sshsig.
async function signedBySsh(message) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-512", message));
  return joined(bytesOf("SSHSIG"), ...[NAMESPACE, "", "sha512"].map((text) => sshString(bytesOf(text))), sshString(digest));
}

function armouredSignature(key, signature) {
  const version = Uint8Array.of(0, 0, 0, 1);
  const signed = sshString(joined(sshString(bytesOf("ssh-ed25519")), sshString(signature)));
  const middle = [NAMESPACE, "", "sha512"].map((text) => sshString(bytesOf(text)));
  const text = base64(joined(bytesOf("SSHSIG"), version, sshString(sshKey(key)), ...middle, signed));
  const lines = Array.from({ length: Math.ceil(text.length / SSH_LINE) }, (_, row) => text.slice(row * SSH_LINE, (row + 1) * SSH_LINE));
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}

function sshKey(key) {
  return joined(sshString(bytesOf("ssh-ed25519")), sshString(key.bytes));
}

function sshString(bytes) {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return joined(length, bytes);
}

/**
 * Guild and period as `bag-info.txt` has them.
 *
 * @throws {Fault}
 */
export function namedPeriod(bag) {
  const found = INFO.exec(bag.letters("bag-info.txt"));
  if (found === null) throw new Fault("files", "bag-info.txt with External-Identifier: guild/period", "none");
  return [found[1], Number(found[2])];
}
