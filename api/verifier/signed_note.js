// Signed notes, the keys that sign them, checkpoints and proof files (C2SP signed-note, tlog-checkpoint, tlog-proof).
import { base64, bytesOf, fromBase64, hex, joined, sameBytes, textOf } from "./bytes.js";
import { PublicKey } from "./ed25519.js";
import { Invalid } from "./report.js";
import { sha256 } from "./sha256.js";

const MAX_BYTES = 64 * 1024;
const MAX_SIGNATURES = 100;
const MAX_HASHES = 64;
const ED25519 = 0x01;
const HEADER = "c2sp.org/tlog-proof@v1";
const SIGNATURE_LINE = "\u2014 ";
const MAX_U64 = 2n ** 64n - 1n;

/** Bytes that are not of a format at all. */
export class Malformed extends Invalid {
  constructor(what, why) {
    super(what, why);
    this.message = `not ${what}: ${why}`;
  }
}

/** Who may sign a note: a name and a key. */
export class Verifier {
  /** @throws {Malformed} */
  constructor(name, key) {
    if (!isName(name)) throw new Malformed("a key's name", "it is empty or has white space or a plus sign");
    this.name = name;
    this.key = key;
    this.id = sha256(bytesOf(`${name}\n`), Uint8Array.of(ED25519), key.bytes).subarray(0, 4);
    this.vkey = `${name}+${hex(this.id)}+${base64(joined(Uint8Array.of(ED25519), key.bytes))}`;
  }

  /**
   * From `name+keyid+base64(0x01 || key)`.
   *
   * @throws {Invalid}
   */
  static parse(text) {
    const what = "a verifier key";
    const [name, id, ...rest] = text.split("+");
    if (rest.length === 0) throw new Malformed(what, "it has not three parts");
    const bytes = fromBase64(rest.join("+"));
    if (bytes === null) throw new Malformed(what, "its key is not base64");
    if (bytes[0] !== ED25519) throw new Malformed(what, "its algorithm is not Ed25519");
    const key = PublicKey.from(bytes.slice(1));
    if (key === null) throw new Malformed(what, "its key is none of Ed25519 that may be trusted");
    const verifier = new Verifier(name, key);
    if (hex(verifier.id) !== id) throw new Invalid(`key id ${hex(verifier.id)}`, id.slice(0, 8));
    return verifier;
  }
}

/**
 * A note's text and its signatures (name, key id and signature), none of them checked.
 *
 * @throws {Malformed}
 */
export function parseNote(text) {
  const wrong = (why) => new Malformed("a signed note", why);
  if (bytesOf(text).length > MAX_BYTES) throw wrong("it is too long");
  const end = text.lastIndexOf("\n\n"); // the last blank line ends the text: the text may have others
  if (end < 0) throw wrong("no blank line ends its text");
  const body = text.slice(0, end + 1);
  if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(body)) throw wrong("its text has control characters");
  const below = text.slice(end + 2);
  if (!below.endsWith("\n")) throw wrong("its last line is not ended");
  const signatures = below.slice(0, -1).split("\n").map((line) => {
    if (!line.startsWith(SIGNATURE_LINE)) throw wrong("a line below its text is no signature");
    const [name, ...rest] = line.slice(SIGNATURE_LINE.length).split(" ");
    if (rest.length === 0 || !isName(name)) throw wrong("a signature has no name");
    const bytes = fromBase64(rest.join(" "));
    if (bytes === null) throw wrong("a signature is not base64");
    if (bytes.length < 5) throw wrong("a signature is too short");
    return { name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) };
  });
  if (signatures.length > MAX_SIGNATURES) throw wrong("it has too many signatures");
  return { body, signatures };
}

/**
 * What an unsigned text says: origin, size (BigInt) and root. Further lines are extensions, which we do not use.
 *
 * @throws {Malformed}
 */
export function parseCheckpoint(body) {
  const wrong = (why) => new Malformed("a checkpoint", why);
  if (!body.endsWith("\n")) throw wrong("its last line is not ended");
  const [origin, size, root, ...extensions] = body.slice(0, -1).split("\n");
  if (size === undefined || root === undefined) throw wrong("it has not three lines");
  if (origin === "" || extensions.includes("")) throw wrong("a line is empty");
  const found = { origin, size: decimal(size), root: hashOf(root) };
  if (found.size === null) throw wrong("its size is not a number");
  if (found.root === null) throw wrong("its root is not 32 bytes in base64");
  return found;
}

/**
 * A checkpoint that the verifier signed and whose origin is the verifier's name. Signatures of others are ignored; a bad one of its
 * own is not.
 *
 * @throws {Invalid}
 */
export async function openCheckpoint(note, verifier) {
  const { body, signatures } = parseNote(note);
  const own = signatures.filter(({ name, id }) => name === verifier.name && sameBytes(id, verifier.id));
  for (const { signature } of own) {
    if (signature.length !== 64) throw new Malformed("a signed note", "a signature has not 64 bytes");
    if (!(await verifier.key.verify(bytesOf(body), signature))) {
      throw new Invalid("a good signature", `one by ${verifier.key.kid} that does not verify over these bytes`);
    }
  }
  if (own.length === 0) throw new Invalid(`a signature by ${verifier.vkey}`, "none");
  const checkpoint = parseCheckpoint(body);
  if (checkpoint.origin !== verifier.name) throw new Invalid(`origin ${verifier.name}`, checkpoint.origin);
  return checkpoint;
}

/**
 * A proof file's index (BigInt), its hashes and its checkpoint, whose signature nobody has checked yet.
 *
 * @throws {Malformed}
 */
export function parseProofFile(text) {
  const wrong = (why) => new Malformed("a proof file", why);
  if (text === null) throw wrong("it is not UTF-8");
  if (bytesOf(text).length > MAX_BYTES) throw wrong("it is too long");
  const end = text.indexOf("\n\n");
  if (end < 0) throw wrong("it has no checkpoint");
  const lines = text.slice(0, end).split("\n");
  if (lines.shift() !== HEADER) throw wrong("its first line names another format");
  if (lines[0]?.startsWith("extra ") && fromBase64(lines.shift().slice("extra ".length)) === null) {
    throw wrong("its extra data is not base64");
  }
  const first = lines.shift();
  const index = first?.startsWith("index ") ? decimal(first.slice("index ".length)) : null;
  if (index === null) throw wrong("it has no index");
  const hashes = lines.map(hashOf);
  if (hashes.includes(null)) throw wrong("a hash is not 32 bytes in base64");
  if (hashes.length > MAX_HASHES) throw wrong("it has too many hashes");
  return { index, hashes, checkpoint: text.slice(end + 2) };
}

function isName(name) {
  return name !== "" && !/[+\p{White_Space}]/u.test(name);
}

// A number below 2^64 with one spelling: no sign, no leading zero.
function decimal(text) {
  if (!/^(0|[1-9][0-9]{0,19})$/.test(text)) return null;
  const number = BigInt(text);
  return number <= MAX_U64 ? number : null;
}

function hashOf(text) {
  return text.length === 44 ? only32(fromBase64(text)) : null;
}

function only32(bytes) {
  return bytes !== null && bytes.length === 32 ? bytes : null;
}
