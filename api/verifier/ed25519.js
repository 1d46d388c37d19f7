// Ed25519 (RFC 8032) by WebCrypto, made strict. WebCrypto does not say of every implementation what it does with points of small
// order and with encodings that could be others, so those are refused here, by their bytes, before it is asked.
import { base64url, bytesOf, sameBytes } from "./bytes.js";
import { sha256 } from "./sha256.js";

const P = 2n ** 255n - 19n;
const D = (-121665n * power(121666n, P - 2n)) % P;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
// Encodings of points whose order divides 8, without the sign bit, those above the prime included (libsodium has the same list).
const SMALL_ORDER = new Set(
  [
    0n,
    1n,
    2707385501144840649318225287225658788936804267575313519463743609750303402022n,
    55188659117513257062467267217118295137698188065244968500265048394206261417927n,
    P - 1n,
    P,
    P + 1n,
  ].map(String),
);
// RFC 8032, section 7.1, TEST 3.
const KNOWN_KEY = "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025";
const KNOWN_MESSAGE = "af82";
const KNOWN_SIGNATURE =
  "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a";

/** A public key: its 32 bytes and its RFC 7638 thumbprint. */
export class PublicKey {
  /** The key, or null where libsodium would refuse it: no point, a point of small order, an encoding at or above p. */
  static from(bytes) {
    return bytes !== null && bytes.length === 32 && isTrustworthyPoint(bytes) ? new PublicKey(bytes) : null;
  }

  constructor(bytes) {
    this.bytes = bytes;
    this.x = base64url(bytes);
    this.kid = base64url(sha256(bytesOf(`{"crv":"Ed25519","kty":"OKP","x":"${this.x}"}`)));
    this.imported = null;
  }

  is(other) {
    return this.x === other.x;
  }

  /** Whether the 64 bytes are this key's signature of the message. */
  async verify(message, signature) {
    if (signature.length !== 64 || !isStrictSignature(signature)) return false;
    this.imported ??= crypto.subtle.importKey("raw", this.bytes, "Ed25519", false, ["verify"]);
    return crypto.subtle.verify("Ed25519", await this.imported, signature, message);
  }
}

/** What this browser lacks to verify anything, or null. Nothing weaker is done instead. */
export async function checkEngine() {
  if (globalThis.crypto?.subtle === undefined) return "no-webcrypto";
  const key = new PublicKey(fromHex(KNOWN_KEY));
  const [message, signature] = [fromHex(KNOWN_MESSAGE), fromHex(KNOWN_SIGNATURE)];
  try {
    const isGood = await key.verify(message, signature);
    const isChangedGood = await key.verify(fromHex("af83"), signature);
    if (!isGood || isChangedGood) return "wrong-ed25519";
  } catch {
    return "no-ed25519";
  }
  const sample = new Uint8Array(1000).map((_, place) => place * 7);
  const theirs = new Uint8Array(await crypto.subtle.digest("SHA-256", sample));
  return sameBytes(sha256(sample), theirs) ? null : "wrong-sha256";
}

// R not of small order and below p; S below the order of the group, or the signature could be written in another way.
function isStrictSignature(signature) {
  const y = withoutSign(littleEndian(signature.subarray(0, 32)));
  return y < P && !SMALL_ORDER.has(String(y)) && littleEndian(signature.subarray(32)) < ORDER;
}

function isTrustworthyPoint(bytes) {
  const y = withoutSign(littleEndian(bytes));
  return y < P && !SMALL_ORDER.has(String(y)) && isOnCurve(y);
}

// -x^2 + y^2 = 1 + d x^2 y^2, so x^2 = (y^2 - 1) / (d y^2 + 1): a square, by Euler's criterion.
function isOnCurve(y) {
  const [above, below] = [(y * y - 1n) % P, (D * y * y + 1n) % P];
  return power(((above * below) % P + P) % P, (P - 1n) / 2n) === 1n;
}

function withoutSign(number) {
  return number & (2n ** 255n - 1n);
}

function littleEndian(bytes) {
  let digits = "0x";
  for (let at = bytes.length - 1; at >= 0; at -= 1) digits += bytes[at].toString(16).padStart(2, "0");
  return BigInt(digits);
}

function power(number, exponent) {
  let [result, square, left] = [1n, number, exponent];
  while (left > 0n) {
    if (left & 1n) result = (result * square) % P;
    square = (square * square) % P;
    left >>= 1n;
  }
  return result;
}

function fromHex(digits) {
  return Uint8Array.from(digits.match(/../g), (pair) => Number.parseInt(pair, 16));
}
