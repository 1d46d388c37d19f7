// An archive that anybody may have written, unpacked into memory. Only what our own archives have is taken: one gzip member, and in it
// regular files of one folder, by short relative names, each once. What is unpacked is bounded by what was handed over.
import { lettersOf, textOf } from "./bytes.js";
import { inflateGzip } from "./gzip.js";
import { Invalid, Unusable } from "./report.js";

const BLOCK = 512;
const MAX_FILES = 50_000;
const MAX_PARTS = 4;
const MAX_HEADER = 65_536;
const MAX_RATIO = 64;
const ALLOWANCE = 16 * 1024 * 1024;
// What a browser's tab can be expected to hold; `rollcall verify` unpacks to a disk.
const MAX_UNPACKED = 1024 * 1024 * 1024;
const PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$/;
const OCTAL = /^[+-]?(0[oO]_?)?[0-7]+(_[0-7]+)*$/;
const PAX_RECORD = /([0-9]{1,20}) ([^=]+)=/y;

/** Whether a name stays in its folder, on any system: a few plain parts. */
export function isSafePath(path) {
  const parts = path.split("/");
  return parts.length <= MAX_PARTS && parts.every((part) => PART.test(part));
}

/**
 * The files of a `.tar.gz` by their paths within its one folder.
 *
 * @throws {Unusable} It is no archive of that kind, was damaged or cut short, or is more than this page takes.
 * @throws {Invalid} It is whole, and has what no export has: links, names outside its folder, a name twice, too much.
 */
export function unpack(bytes, progress) {
  const stream = new Inflated(bytes, progress);
  try {
    return filesOf(stream);
  } catch (error) {
    if (error instanceof Invalid) stream.expectWhole();
    throw error;
  }
}

function filesOf(stream) {
  const names = new Names();
  const files = new Map();
  for (let isFirst = true; ; isFirst = false) {
    const header = nextHeader(stream, isFirst);
    if (header === null) break;
    const path = names.add(header);
    const data = stream.read(header.size);
    if (data.length < header.size) throw new Unusable("the archive was cut short");
    files.set(path, data);
    const padding = (BLOCK - (header.stored % BLOCK)) % BLOCK;
    if (header.stored !== header.size) throw new Unusable("it is not a whole tar archive: a file has two sizes");
    if (stream.read(padding).length < padding) throw new Unusable("it is not a whole tar archive: unexpected end of data");
  }
  stream.finish();
  if (files.size === 0) throw new Unusable("the archive is empty");
  return files;
}

class Names {
  constructor() {
    this.root = null;
    this.seen = new Set();
    this.files = new Set();
    this.folders = new Set();
  }

  add({ name, size, attributes }) {
    if (size < 0 || attributes.some((one) => one !== "path" && one !== "size")) {
      throw new Invalid("plain files without attributes", name); // sparse files grow out of nothing
    }
    if (!isSafePath(name) || !name.includes("/")) throw new Invalid("plain names within one folder", name);
    if (this.seen.has(name.toLowerCase())) throw new Invalid("each name once", name);
    this.seen.add(name.toLowerCase());
    if (this.seen.size > MAX_FILES) throw new Invalid(`at most ${MAX_FILES} files`, "more");
    const parts = name.split("/");
    this.root ??= parts[0];
    if (this.root !== parts[0]) throw new Invalid("one folder", "two");
    const above = parts.slice(1).map((_, place) => parts.slice(0, place + 1).join("/"));
    if (this.folders.has(name) || above.some((folder) => this.files.has(folder))) {
      throw new Unusable("it cannot be unpacked: a file is where a folder is");
    }
    this.files.add(name);
    for (const folder of above) this.folders.add(folder);
    return parts.slice(1).join("/");
  }
}

// The next file's header; null at the end.
function nextHeader(stream, isFirst) {
  const block = stream.read(BLOCK);
  const wrong = (why) => new Unusable(`it is not a whole tar archive: ${why}`);
  if (block.length === 0 && isFirst) throw wrong("empty file");
  if (block.every((byte) => byte === 0) && (block.length === BLOCK || block.length === 0)) return null;
  if (block.length < BLOCK) throw wrong("truncated header");
  const header = readHeader(block);
  if (header === null) throw wrong("bad header");
  if (header.type !== "x") return header;
  return extended(stream, header);
}

// A header by itself: null if it is none.
function readHeader(block) {
  const letters = lettersOf(block);
  const number = (from, to) => numberOf(block.subarray(from, to), letters.slice(from, to));
  const fields = [[148, 156], [100, 108], [108, 116], [116, 124], [124, 136], [136, 148], [329, 337], [337, 345]].map((one) => number(...one));
  if (fields.includes(null) || !checksumsOf(block).includes(fields[0])) return null;
  const until = (from, to) => letters.slice(from, to).split("\0", 1)[0];
  const [name, prefix, type] = [until(0, 100), until(345, 500), letters[156]];
  const whole = prefix === "" ? name : `${prefix}/${name}`;
  if (!["0", "\0", "x"].includes(type) || (type === "\0" && name.endsWith("/"))) {
    throw new Invalid("regular files only", `${whole}: a link, folder or device`);
  }
  const size = fields[4];
  if (size < 0 || (type === "x" && size > MAX_HEADER)) throw new Invalid(`a header of at most ${MAX_HEADER} bytes`, String(size));
  if (!Number.isSafeInteger(size)) throw new Unusable("the archive was cut short");
  return { name: whole, type, size, stored: size, attributes: [] };
}

// An extended header (PAX) and the header of the file that it is about.
function extended(stream, header) {
  const padded = Math.ceil(header.size / BLOCK) * BLOCK;
  const letters = lettersOf(stream.read(padded));
  const attributes = new Map();
  for (let at = 0; ; ) {
    PAX_RECORD.lastIndex = at;
    const found = PAX_RECORD.exec(letters);
    if (found === null) break;
    const length = Number(found[1]);
    if (length === 0) throw new Unusable("it is not a whole tar archive: invalid header");
    attributes.set(found[2], letters.slice(at + found[0].length, at + length - 1));
    at += length;
  }
  const block = stream.read(BLOCK);
  const next = block.length === BLOCK ? readHeader(block) : null;
  if (next === null) throw new Unusable("it is not a whole tar archive: no header behind an extended one");
  if (next.type === "x") throw new Invalid("one extended header for a file", "two");
  const path = attributes.get("path");
  const size = attributes.get("size");
  return {
    ...next,
    name: path === undefined ? next.name : (textOf(Uint8Array.from(path, (letter) => letter.charCodeAt(0))) ?? path).replace(/\/+$/, ""),
    size: size === undefined ? next.size : /^\s*[+-]?[0-9]+\s*$/.test(size) ? Number(size) : 0,
    stored: size === undefined ? next.stored : /^\s*[+-]?[0-9]+\s*$/.test(size) ? Number(size) : 0,
    attributes: [...attributes.keys()],
  };
}

// Octal digits, or base 256 where the first bit is set; null where it is no number.
function numberOf(bytes, letters) {
  if (bytes[0] === 0x80 || bytes[0] === 0xff) {
    const value = bytes.subarray(1).reduce((number, byte) => number * 256n + BigInt(byte), 0n);
    return Number(bytes[0] === 0x80 ? value : value - 256n ** BigInt(bytes.length - 1));
  }
  const text = letters.split("\0", 1)[0];
  if (/[\u0080-\u00ff]/.test(text)) return null;
  const digits = text.trim() || "0";
  if (!OCTAL.test(digits)) return null;
  const value = Number.parseInt(digits.replace(/^[+-]/, "").replace(/^0[oO]/, "").replaceAll("_", ""), 8);
  return digits.startsWith("-") ? -value : value;
}

function checksumsOf(block) {
  let [unsigned, signed] = [256, 256]; // the checksum's own eight bytes count as spaces
  block.forEach((byte, place) => {
    if (place >= 148 && place < 156) return;
    unsigned += byte;
    signed += byte > 127 ? byte - 256 : byte;
  });
  return [unsigned, signed];
}

// What is inflated, up to a limit.
class Inflated {
  constructor(bytes, progress) {
    this.parts = inflateGzip(bytes);
    this.allowed = bytes.length * MAX_RATIO + ALLOWANCE;
    this.total = 0;
    this.compressed = bytes.length;
    this.progress = progress;
    this.part = new Uint8Array(0);
    this.at = 0;
  }

  // At most `length` bytes, fewer only at the end.
  read(length) {
    if (length > MAX_UNPACKED) this.drain();
    const whole = reserved(length);
    let have = 0;
    while (have < length && this.more()) {
      const some = this.part.subarray(this.at, this.at + length - have);
      whole.set(some, have);
      have += some.length;
      this.at += some.length;
    }
    return whole.subarray(0, have);
  }

  more() {
    while (this.at >= this.part.length) {
      const { value, done } = this.parts.next();
      if (done) return false;
      this.total += value.length;
      if (this.total > this.allowed) throw new Invalid(`at most ${MAX_RATIO} times its size when unpacked`, "more");
      if (this.total > MAX_UNPACKED) throw new Unusable(`unpacked it has more than ${MAX_UNPACKED} bytes, more than this page takes`);
      this.progress("read", this.total, this.allowed);
      [this.part, this.at] = [value, 0];
    }
    return true;
  }

  // A file that claims to be larger than anything can be here: whatever there is of it is too much, or too little.
  drain() {
    while (this.more()) this.at = this.part.length;
    throw new Unusable("the archive was cut short");
  }

  // Read what is left of the member, up to the limits: what a damaged file says against anybody, nobody said.
  expectWhole() {
    try {
      while (this.total <= this.allowed && this.total <= MAX_UNPACKED && this.more()) this.at = this.part.length;
    } catch (error) {
      if (!(error instanceof Invalid) && this.total <= MAX_UNPACKED) throw error;
    }
  }

  // Read to the end: only zeros are there.
  finish() {
    while (this.more()) {
      if (this.part.subarray(this.at).some((byte) => byte !== 0)) throw new Invalid("nothing behind the last file", "more bytes");
      this.at = this.part.length;
    }
  }
}

function reserved(length) {
  try {
    return new Uint8Array(length);
  } catch (error) {
    if (error instanceof RangeError) throw new Unusable("it does not fit into this browser's memory");
    throw error;
  }
}
