// Keys that somebody has from elsewhere, in the forms in which keys are handed on.
import { bytesOf, fromBase64, fromBase64url } from "./bytes.js";
import { PublicKey } from "./ed25519.js";
import { ProfileError, parseProfile } from "./profile.js";
import { Invalid } from "./report.js";
import { Verifier } from "./signed_note.js";

const MAX_PIN_BYTES = 1024 * 1024;
const BEGIN = "-----BEGIN PUBLIC KEY-----";
const END = "-----END PUBLIC KEY-----";
// SubjectPublicKeyInfo of Ed25519 (RFC 8410) up to the key.
const DER_PREFIX = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const AROUND = /^\p{White_Space}+|\p{White_Space}+$/gu;

/** A text that is no key: the message says why. */
export class NoKey extends Error {}

/**
 * Keys as PEM (one or many), JWK, JWK set, or the bare 32 bytes in base64url.
 *
 * @throws {NoKey}
 */
export function parseKeys(given) {
  const text = trimmed(given);
  if (text.startsWith("{")) return fromJwks(text);
  if (text.startsWith("-----")) return fromPems(text);
  const bytes = fromBase64url(text, 32);
  if (bytes === null) throw new NoKey("neither PEM, nor JWK, nor 43 letters of base64url");
  return [trusted(bytes)];
}

/**
 * Log keys as `{name, key}`: verifier keys (`name+id+key`), one a line, or any form of `parseKeys`, whose name is null.
 *
 * @throws {NoKey}
 */
export function parseLogKeys(given) {
  const text = trimmed(given);
  if (!text.includes("+") || text.startsWith("{") || text.startsWith("-")) {
    return parseKeys(given).map((key) => ({ name: null, key }));
  }
  try {
    return text.split("\n").map((line) => {
      const { name, key } = Verifier.parse(line.replace(AROUND, ""));
      return { name, key };
    });
  } catch (error) {
    if (error instanceof Invalid) throw new NoKey(error.message);
    throw error;
  }
}

/** The key of `keys/…pem` in an export: one key in exactly our form. Null if it is not. */
export function keyOfPem(text) {
  try {
    const keys = parseKeys(text);
    return keys.length === 1 ? keys[0] : null;
  } catch (error) {
    if (error instanceof NoKey) return null;
    throw error;
  }
}

function trimmed(text) {
  if (text === null) throw new NoKey("not text");
  if (bytesOf(text).length > MAX_PIN_BYTES) throw new NoKey("too long for a key");
  return text.replace(AROUND, "");
}

function fromPems(text) {
  const keys = [];
  let rest = text;
  while (rest !== "") {
    const end = rest.indexOf(END, BEGIN.length);
    if (!rest.startsWith(BEGIN) || end < 0) throw new NoKey("not PEM of an Ed25519 public key");
    const der = fromBase64(rest.slice(BEGIN.length, end).replace(/[ \t\n\f\r]/g, ""));
    if (der?.length !== 44 || !DER_PREFIX.every((byte, place) => der[place] === byte)) {
      throw new NoKey("not PEM of an Ed25519 public key");
    }
    keys.push(trusted(der.slice(DER_PREFIX.length)));
    rest = rest.slice(end + END.length).replace(AROUND, "");
  }
  return keys;
}

function fromJwks(text) {
  let value;
  try {
    value = parseProfile(text);
  } catch (error) {
    if (error instanceof ProfileError) throw new NoKey(`not a JWK: ${error.message}`);
    throw error;
  }
  const keys = value.get("keys");
  if (!Array.isArray(keys)) return [fromJwk(value)];
  if (keys.length === 0) throw new NoKey("a JWK set without keys");
  return keys.map(fromJwk);
}

function fromJwk(value) {
  const member = (name) => (value instanceof Map ? value.get(name) : undefined);
  if (member("kty") !== "OKP" || member("crv") !== "Ed25519") throw new NoKey("a JWK of another kind than Ed25519");
  const bytes = fromBase64url(member("x"), 32);
  if (bytes === null) throw new NoKey("a JWK whose x is not 32 bytes in base64url");
  const key = trusted(bytes);
  if (typeof member("kid") === "string" && member("kid") !== key.kid) throw new NoKey("a JWK whose kid is not its thumbprint");
  return key;
}

function trusted(bytes) {
  const key = PublicKey.from(bytes);
  if (key === null) throw new NoKey("not a public key of Ed25519 that may be trusted");
  return key;
}
