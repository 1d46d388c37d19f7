// One gzip member (RFC 1952, RFC 1951) as a stream. DecompressionStream will not do: where a member ends, whether it was cut short
// and whether something follows are not told alike everywhere, and it cannot be stopped to the byte.
import { Invalid, Unusable } from "./report.js";

const WINDOW = 65536;
const PRIMARY_BITS = 10;
const MAX_BITS = 15;
const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385,
  24577,
];
const DISTANCE_EXTRA = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const ORDER_OF_LENGTHS = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const CRC = crcTable();
const FIXED = fixedCodes();

/**
 * The bytes that a gzip file holds, in parts of at most 64 KiB.
 *
 * @throws {Unusable} It is no gzip file, or was cut short.
 * @throws {Invalid} Something follows the member.
 */
export function* inflateGzip(bytes) {
  const bits = new Bits(bytes, headerLength(bytes));
  let [crc, length] = [-1, 0];
  for (const part of inflate(bits)) {
    crc = crcOf(part, crc);
    length = (length + part.length) >>> 0;
    yield part;
  }
  const end = bits.wholeByte();
  if (bytes.length < end + 8) throw cutShort();
  const view = new DataView(bytes.buffer, bytes.byteOffset + end, 8);
  if (view.getUint32(0, true) !== ~crc >>> 0 || view.getUint32(4, true) !== length) throw broken("its checksum is another");
  if (bytes.length > end + 8) throw new Invalid("nothing behind the archive", "more bytes");
}

function headerLength(bytes) {
  if (bytes.length < 10) throw cutShort();
  const [first, second, method, flags] = bytes;
  if (first !== 0x1f || second !== 0x8b || method !== 8 || (flags & 0xe0) !== 0) throw broken("its header is another");
  let at = 10;
  if (flags & 4) at += 2 + bytes[at] + (bytes[at + 1] << 8);
  for (const flag of [8, 16]) {
    if (flags & flag) {
      const end = bytes.indexOf(0, at);
      if (end < 0) throw cutShort();
      at = end + 1;
    }
  }
  if (flags & 2) {
    const crc = ~crcOf(bytes.subarray(0, at), -1) & 0xffff;
    if (at + 2 <= bytes.length && (bytes[at] | (bytes[at + 1] << 8)) !== crc) throw broken("its header's checksum is another");
    at += 2;
  }
  if (!(at <= bytes.length)) throw cutShort();
  return at;
}

class Bits {
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
    this.held = 0;
    this.count = 0;
  }

  // As many bits as there are, up to `count` (at most 24).
  fill(count) {
    while (this.count < count && this.at < this.bytes.length) {
      this.held |= this.bytes[this.at] << this.count;
      this.at += 1;
      this.count += 8;
    }
  }

  take(count) {
    this.fill(count);
    if (this.count < count) throw cutShort();
    const value = this.held & ((1 << count) - 1);
    this.held >>>= count;
    this.count -= count;
    return value;
  }

  symbol(code) {
    this.fill(MAX_BITS);
    const entry = code.primary[this.held & ((1 << PRIMARY_BITS) - 1)];
    const length = entry >>> 9;
    if (length === 0) return this.longSymbol(code);
    if (length > this.count) throw cutShort();
    this.held >>>= length;
    this.count -= length;
    return entry & 511;
  }

  // Code by code, as in RFC 1951, section 3.2.2: codes of a length follow each other.
  longSymbol({ counts, symbols }) {
    let [value, first, index] = [0, 0, 0];
    for (let length = 1; length <= MAX_BITS; length += 1) {
      if (length > this.count) throw cutShort();
      value |= (this.held >>> (length - 1)) & 1;
      if (value - counts[length] < first) {
        this.held >>>= length;
        this.count -= length;
        return symbols[index + value - first];
      }
      index += counts[length];
      first = (first + counts[length]) << 1;
      value <<= 1;
    }
    throw broken("a code is unknown");
  }

  // Where the next whole byte is; bits before it are dropped.
  wholeByte() {
    const at = this.at - (this.count >>> 3);
    this.at = at;
    this.held = 0;
    this.count = 0;
    return at;
  }
}

function* inflate(bits) {
  const window = new Uint8Array(WINDOW);
  let [at, total] = [0, 0]; // `at` is the place in the window, `total` how many bytes there are, up to the furthest distance
  for (let isLast = false; !isLast; ) {
    isLast = bits.take(1) === 1;
    const kind = bits.take(2);
    if (kind === 3) throw broken("a block is of an unknown kind");
    if (kind === 0) {
      let left = storedLength(bits);
      while (left > 0) {
        const part = bits.bytes.subarray(bits.at, bits.at + Math.min(left, WINDOW - at));
        if (part.length === 0) throw cutShort();
        window.set(part, at);
        bits.at += part.length;
        left -= part.length;
        at += part.length;
        total += part.length;
        if (at === WINDOW) {
          yield window.slice();
          at = 0;
        }
      }
      continue;
    }
    const { literals, distances } = kind === 1 ? FIXED : dynamicCodes(bits);
    for (;;) {
      const symbol = bits.symbol(literals);
      if (symbol < 256) {
        window[at] = symbol;
        at += 1;
        total += 1;
        if (at === WINDOW) {
          yield window.slice();
          at = 0;
        }
        continue;
      }
      if (symbol === 256) break;
      if (symbol > 285) throw broken("a length is unknown");
      let length = LENGTH_BASE[symbol - 257] + bits.take(LENGTH_EXTRA[symbol - 257]);
      const code = bits.symbol(distances);
      if (code > 29) throw broken("a distance is unknown");
      const distance = DISTANCE_BASE[code] + bits.take(DISTANCE_EXTRA[code]);
      if (distance > total) throw broken("a distance is too far");
      total += length;
      for (; length > 0; length -= 1) {
        window[at] = window[(at - distance) & (WINDOW - 1)];
        at += 1;
        if (at === WINDOW) {
          yield window.slice();
          at = 0;
        }
      }
    }
  }
  yield window.slice(0, at);
}

function storedLength(bits) {
  bits.wholeByte();
  const length = bits.take(16);
  if (bits.take(16) !== (~length & 0xffff)) throw broken("a stored block's length is another");
  bits.wholeByte();
  return length;
}

function dynamicCodes(bits) {
  const [literals, distances, lengths] = [bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4];
  if (literals > 286 || distances > 30) throw broken("there are too many codes");
  const ofLengths = new Uint8Array(19);
  for (let place = 0; place < lengths; place += 1) ofLengths[ORDER_OF_LENGTHS[place]] = bits.take(3);
  const code = codeOf(ofLengths, false);
  const found = new Uint8Array(literals + distances);
  for (let place = 0; place < found.length; ) {
    const symbol = bits.symbol(code);
    if (symbol < 16) {
      found[place] = symbol;
      place += 1;
      continue;
    }
    if (symbol === 16 && place === 0) throw broken("a length repeats nothing");
    const repeated = symbol === 16 ? found[place - 1] : 0;
    const times = symbol === 16 ? 3 + bits.take(2) : symbol === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    if (place + times > found.length) throw broken("a length repeats too often");
    found.fill(repeated, place, place + times);
    place += times;
  }
  if (found[256] === 0) throw broken("a block cannot end");
  return { literals: codeOf(found.subarray(0, literals), true), distances: codeOf(found.subarray(literals), true) };
}

// A canonical Huffman code. Only where there is one code of one bit, or none, may codes be left over.
function codeOf(lengths, mayBeOne) {
  const counts = new Uint16Array(MAX_BITS + 1);
  for (const length of lengths) counts[length] += 1;
  counts[0] = 0;
  let left = 1;
  for (let length = 1; length <= MAX_BITS; length += 1) {
    left = left * 2 - counts[length];
    if (left < 0) throw broken("a code is over-subscribed");
  }
  const longest = counts.findLastIndex((count) => count > 0);
  if (left > 0 && !(longest === -1 || (mayBeOne && longest === 1))) throw broken("a code is incomplete");
  const offsets = new Uint16Array(MAX_BITS + 2);
  for (let length = 1; length <= MAX_BITS; length += 1) offsets[length + 1] = offsets[length] + counts[length];
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length > 0) symbols[offsets[length]++] = symbol;
  });
  return { counts, symbols, primary: primaryTable(counts, symbols) };
}

// For each next ten bits the symbol and its code's length; 0 where the code is longer, or there is none.
function primaryTable(counts, symbols) {
  const primary = new Uint16Array(1 << PRIMARY_BITS);
  let [code, index] = [0, 0];
  for (let length = 1; length <= PRIMARY_BITS; length += 1) {
    for (let one = 0; one < counts[length]; one += 1, code += 1, index += 1) {
      for (let place = reversed(code, length); place < primary.length; place += 1 << length) primary[place] = (length << 9) | symbols[index];
    }
    code <<= 1;
  }
  return primary;
}

function reversed(code, length) {
  let turned = 0;
  for (let place = 0; place < length; place += 1) turned |= ((code >> place) & 1) << (length - 1 - place);
  return turned;
}

function fixedCodes() {
  const literals = new Uint8Array(288).fill(8);
  literals.fill(9, 144, 256);
  literals.fill(7, 256, 280);
  return { literals: codeOf(literals, true), distances: codeOf(new Uint8Array(32).fill(5), true) };
}

function crcTable() {
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte;
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    return crc;
  });
}

function crcOf(bytes, before) {
  let crc = before;
  for (let at = 0; at < bytes.length; at += 1) crc = CRC[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8);
  return crc;
}

function cutShort() {
  return new Unusable("the archive was cut short");
}

function broken(why) {
  return new Unusable(`it is not a whole gzip file: ${why}`);
}
