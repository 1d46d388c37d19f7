// The signing profile (docs/formats.md, "Canonical JSON"): strict parse and canonical text. JSON.parse will not do: it keeps the
// last of duplicate members and rounds large numbers.

const MAX_DEPTH = 8;
const MAX_INTEGER = Number.MAX_SAFE_INTEGER; // 2^53 - 1
const KEY = /^[a-z][a-z0-9_]{0,39}$/;
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const NUMBER = /-?[0-9]*/y;
const SPACE = /[ \t\n\r]*/y;
const LONGEST_NUMBER = 17;
const SHORT = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** A breach of the profile, and the letter at which it was seen. */
export class ProfileError extends Error {
  constructor(what, at) {
    super(`letter ${at}: ${what}`);
  }
}

/**
 * The value of a text of the profile. Objects are Maps, numbers are integers.
 *
 * @throws {ProfileError}
 */
export function parseProfile(text) {
  if (text === null) throw new ProfileError("not UTF-8", 0);
  if (text.startsWith("\ufeff")) throw new ProfileError("byte order mark", 0);
  const reader = new Reader(text);
  reader.space();
  const value = reader.value(0);
  reader.space();
  if (reader.at < text.length) throw new ProfileError("something follows the value", reader.at);
  return value;
}

/**
 * The value, if the text is canonical to the letter.
 *
 * @throws {ProfileError}
 */
export function parseCanonical(text) {
  const value = parseProfile(text);
  if (canonicalText(value) !== text) throw new ProfileError("not canonical", 0);
  return value;
}

/** The one text of a value (RFC 8785). Names are ASCII, so code units order them as bytes would. */
export function canonicalText(value) {
  if (value instanceof Map) {
    const names = [...value.keys()].sort();
    return `{${names.map((name) => `"${name}":${canonicalText(value.get(name))}`).join(",")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (typeof value === "string") return quoted(value);
  return String(value);
}

// JSON.stringify writes a string without lone surrogates as RFC 8785 does, and a parsed text of the profile has none.
function quoted(text) {
  return JSON.stringify(text);
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(what, at = this.at) {
    throw new ProfileError(at >= this.text.length ? "unexpected end" : what, at);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const [found] = pattern.exec(this.text);
    this.at += found.length;
    return found;
  }

  space() {
    this.match(SPACE);
  }

  take(letter) {
    const found = this.text[this.at] === letter;
    if (found) this.at += 1;
    return found;
  }

  expect(letter) {
    if (!this.take(letter)) this.fail("unexpected character");
  }

  value(depth) {
    const letter = this.text[this.at];
    if (letter === "{" || letter === "[") {
      if (depth >= MAX_DEPTH) this.fail(`nested deeper than ${MAX_DEPTH}`);
      this.at += 1;
      this.space();
      return letter === "{" ? this.object(depth + 1) : this.array(depth + 1);
    }
    if (letter === '"') return this.string();
    if (letter === "-" || (letter >= "0" && letter <= "9")) return this.integer();
    for (const [word, value] of [["true", true], ["false", false]]) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    if (this.text.startsWith("null", this.at)) this.fail("null (leave the member out)");
    return this.fail("unexpected character");
  }

  array(depth) {
    const items = [];
    if (this.take("]")) return items;
    for (;;) {
      items.push(this.value(depth));
      this.space();
      if (this.take("]")) return items;
      this.expect(",");
      this.space();
    }
  }

  object(depth) {
    const members = new Map();
    if (this.take("}")) return members;
    for (;;) {
      const at = this.at;
      if (this.text[at] !== '"') this.fail("unexpected character");
      const name = this.string();
      if (!KEY.test(name) || name.length > 40) this.fail("a member name must match ^[a-z][a-z0-9_]{0,39}$", at);
      if (members.has(name)) this.fail("duplicate member in this object", at);
      this.space();
      this.expect(":");
      this.space();
      members.set(name, this.value(depth));
      this.space();
      if (this.take("}")) return members;
      this.expect(",");
      this.space();
    }
  }

  integer() {
    const at = this.at;
    const digits = this.match(NUMBER);
    const plain = digits.replace("-", "");
    if (plain === "") this.fail("unexpected character");
    if (plain.length > 1 && plain[0] === "0") this.fail("leading zero", at);
    if (digits.length > LONGEST_NUMBER || Number(plain) > MAX_INTEGER) this.fail("a number beyond 2^53-1", at);
    if (".eE".includes(this.text[this.at] ?? "?")) this.fail("a number that is not spelled as an integer", at);
    if (digits === "-0") this.fail("negative zero", at);
    return Number(digits);
  }

  string() {
    this.at += 1;
    let text = this.match(PLAIN);
    for (;;) {
      const letter = this.text[this.at];
      if (letter === '"') {
        this.at += 1;
        return text;
      }
      if (letter !== "\\") this.fail("control character in a string");
      text += this.escape() + this.match(PLAIN);
    }
  }

  escape() {
    const at = this.at;
    const letter = this.text[at + 1];
    this.at += 2;
    if (letter === "u") return this.codePoint(at);
    if (letter === undefined || !Object.hasOwn(SHORT, letter)) this.fail("unknown escape", at);
    return SHORT[letter];
  }

  codePoint(at) {
    const first = this.fourHex();
    if (first >= 0xd800 && first < 0xdc00) {
      if (!(this.take("\\") && this.take("u"))) this.fail("lone surrogate", at);
      const second = this.fourHex();
      if (second < 0xdc00 || second >= 0xe000) this.fail("lone surrogate", at);
      return String.fromCharCode(first, second);
    }
    if (first >= 0xdc00 && first < 0xe000) this.fail("lone surrogate", at);
    return String.fromCharCode(first);
  }

  fourHex() {
    const digits = this.text.slice(this.at, this.at + 4);
    if (!/^[0-9A-Fa-f]{4}$/.test(digits)) this.fail("unknown escape");
    this.at += 4;
    return Number.parseInt(digits, 16);
  }
}
