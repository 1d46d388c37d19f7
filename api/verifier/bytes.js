// Bytes and their texts. Every text has one spelling: what could be written otherwise is refused, never mended.

const STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL_SAFE = STANDARD.slice(0, 62) + "-_";
const STANDARD_VALUES = valuesOf(STANDARD);
const URL_SAFE_VALUES = valuesOf(URL_SAFE);
const utf8 = new TextEncoder();
const latin1 = new TextDecoder("latin1");

/** The text of UTF-8 bytes, a byte order mark included; null if they are not UTF-8. */
export function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** UTF-8 bytes of a text. */
export function bytesOf(text) {
  return utf8.encode(text);
}

/** A text with one letter for each byte, for patterns over ASCII. */
export function lettersOf(bytes) {
  return latin1.decode(bytes);
}

/** Whether two byte arrays are the same. */
export function sameBytes(left, right) {
  return left.length === right.length && left.every((byte, place) => byte === right[place]);
}

/** Byte arrays one after the other. */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Lower-case hexadecimal digits. */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** base64 with padding (RFC 4648, section 4). */
export function base64(bytes) {
  const text = encoded(bytes, STANDARD);
  return text + "=".repeat((4 - (text.length % 4)) % 4);
}

/** base64url without padding (RFC 4648, section 5). */
export function base64url(bytes) {
  return encoded(bytes, URL_SAFE);
}

/** The bytes of base64 text, padded, without white space or trailing bits; null if it is another text. */
export function fromBase64(text) {
  if (text.length % 4 !== 0) return null;
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return decoded(text.slice(0, text.length - padding), padding, STANDARD_VALUES);
}

/** The `length` bytes of base64url text, without padding, white space or trailing bits; null if it is another text. */
export function fromBase64url(text, length) {
  if (typeof text !== "string" || text.length !== Math.ceil((length * 4) / 3)) return null;
  return decoded(text, (4 - (text.length % 4)) % 4, URL_SAFE_VALUES);
}

function valuesOf(alphabet) {
  const values = new Int8Array(128).fill(-1);
  Array.from(alphabet).forEach((letter, value) => {
    values[letter.charCodeAt(0)] = value;
  });
  return values;
}

function encoded(bytes, alphabet) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const [first, second = 0, third = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]];
    const letters = Math.min(3, bytes.length - at) + 1;
    const group = (first << 16) | (second << 8) | third;
    for (let place = 0; place < letters; place += 1) text += alphabet[(group >> (18 - 6 * place)) & 63];
  }
  return text;
}

function decoded(letters, padding, values) {
  if (letters.length % 4 === 1 || (letters.length + padding) % 4 !== 0) return null;
  const bytes = new Uint8Array(Math.floor((letters.length * 3) / 4));
  let [group, bits, at] = [0, 0, 0];
  for (let place = 0; place < letters.length; place += 1) {
    const code = letters.charCodeAt(place);
    const value = code < 128 ? values[code] : -1;
    if (value < 0) return null;
    group = ((group << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[at] = (group >> bits) & 0xff;
      at += 1;
    }
  }
  return (group & ((1 << bits) - 1)) === 0 ? bytes : null;
}
