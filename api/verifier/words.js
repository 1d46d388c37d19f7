// Every word that the page says, in one place. `{name}` stands for a value.

export const PAGE = {
  title: "Check a record",
  lead:
    "Drop a receipt, a period export or a proof here. Your browser checks it by itself: the file is not sent anywhere, and the " +
    "check works without a network.",
  drop: "Drop a file here, or choose one",
  dropHint: "A receipt (.json), a period export (.tar.gz) or a proof (.tlog-proof). Several at once are fine.",
  keysTitle: "Keys that you have from elsewhere",
  keysLead:
    "A file brings its own keys, and whoever made the file chose them. Paste the keys that you got in another way, for instance " +
    "from a letter, from an earlier receipt or from someone you trust. One key is enough; the log's is the best one to have.",
  logKey: "Key of the log",
  logKeyHint: "name+id+key, or one of the forms below. The same as --log-key.",
  key: "Key of the Discord server's records",
  keyHint: "PEM, JWK, JWK set, or 43 letters of base64url. The same as --key.",
  exportKey: "Key of exports",
  exportKeyHint: "The same forms. Only period exports have it. The same as --export-key.",
  record: "The record that a proof is about",
  recordHint: "Only for .tlog-proof files: exactly the bytes that were signed. The same as --record.",
  idTitle: "Or ask this server about a session",
  idLead:
    "Without a file there is nothing that your browser could check: the server answers from its own database, and you have to take " +
    "its word. For a check of your own, get the session's receipt (in Discord: /attendance receipt).",
  id: "Id of the session",
  idHint: "36 letters, like 01972f3c-7c00-7000-8000-0123456789ab",
  ask: "Ask the server",
  results: "Results",
  proves: "What a check here proves, and what not",
  provesList: [
    "Valid means: the deployment that holds these keys recorded this, and it has not changed since. The counted time follows from " +
      "the recorded timeline, under the recorded rules.",
    "It does not say that anybody was attentive, nor that what was recorded is true: who holds the keys can sign anything.",
    "It rests on keys. A key inside the file is only a hint: with such a key, valid means that the file agrees with itself.",
    "This page comes from a server. A dishonest server could send another page that calls everything valid. If that matters to you, " +
      "save the page as one file and keep it, compare it with somebody else's, or use the command “rollcall verify”.",
  ],
  saveTitle: "Keep this page",
  saveLead:
    "Once it was opened, this page opens without a network too. You can also save it as one file that needs nothing else, and that " +
    "is not allowed to reach any network.",
  notKept:
    "This browser does not keep the page for use without a network ({message}). Save it as one file instead: that needs nothing " +
    "else, and is not allowed to reach any network.",
  save: "Save as one file",
  oneFile: "This is the page as one file: it cannot reach any network.",
  ready: "Ready. This browser has all that is needed.",
  starting: "Looking at what this browser can do …",
  checking: "Checking {name} …",
  stop: "Stop",
  stopped: "Stopped: {name} was not judged.",
  done: "{name}: {verdict}.",
  remove: "Remove this result",
  asking: "Asking the server …",
};

export const ENGINE = {
  "no-webcrypto":
    "This page cannot check anything here: the browser offers its cryptography to secure pages only. Open the page over https, or " +
    "save it as one file and open that.",
  "no-ed25519":
    "This browser cannot check Ed25519 signatures, which all records have, so nothing can be checked here. Nothing weaker is done " +
    "instead. Use a newer browser (Chrome or Edge 137, Firefox 129, Safari 17, or later), or the command “rollcall verify”.",
  "wrong-ed25519": "This browser's Ed25519 gives wrong answers to a known question, so nothing can be checked here.",
  "wrong-sha256": "This browser computes a wrong SHA-256, so nothing can be checked here.",
  "no-worker": "This browser does not start the page's second thread, so nothing can be checked here.",
};

export const PROBLEMS = {
  "no-key": "Not judged, because a key that you gave is none: {message}.",
  unreadable: "Not judged, because the file cannot be read: {message}",
  broken: "Not judged, because this page failed: {message}. That says nothing about the file; please try “rollcall verify”.",
};

export const STAGES = {
  read: "Unpacking",
  hash: "Hashing files",
  survey: "Reading records",
  chain: "Checking records",
  entries: "Checking the leaderboard",
};

export const KINDS = {
  receipt: "Receipt of one session",
  proof: "Proof that a record is in a log",
  export: "Export of a period",
  unknown: "File",
};

export const VERDICTS = { valid: "Valid", invalid: "Invalid", unusable: "Not usable" };

export const VERDICT_LEADS = {
  valid: "Every check passed.",
  invalid: "At least one check failed. Do not rely on this file.",
  unusable: "This could not be judged: it is no such file, or something that is needed is missing.",
};

export const ON_HINTS = "It rests on keys from the file itself. Compare them before you rely on it: see “On whose keys this rests”.";

export const OUTCOMES = { passed: "passed", failed: "failed", not_possible: "not possible" };

export const SECTIONS = {
  why: "Why",
  notSo: "It is not so that {what}.",
  says: "What it says",
  saysUnproven: "What it says (not proven)",
  checks: "Checks",
  expected: "Expected",
  found: "Found",
  trust: "On whose keys this rests",
  meaning: "What valid means here",
  counts: "{passed} passed, {failed} failed, {notPossible} not possible",
  passed: "Show the {passed} that passed",
};

export const MEANINGS = {
  receipt: [
    "The deployment that holds these keys recorded this session, and it has not changed since it was logged. The counted time " +
      "follows from the recorded timeline, under the recorded rules.",
    "It does not say that the member was attentive, nor that what was recorded is true. It shows neither later corrections, nor " +
      "that a key was revoked after this receipt was made.",
  ],
  proof: [
    "The log that holds this key has this record, unchanged, at this place.",
    "It does not say that the record is true, nor that its own signature is good: a receipt shows that.",
  ],
  export: [
    "The deployment that holds these keys recorded these sessions, and they have not changed since they were logged. Times and " +
      "ranks follow from the recorded timelines, under the recorded rules, but for what was erased since.",
    "It does not say that anybody was attentive, nor that what was recorded is true. It shows neither later corrections, nor that " +
      "a key was revoked after it was made.",
  ],
};

export const ROLES = { record: "Discord server's key", log: "Log's key", export: "Export's key" };

export const TRUST = {
  pinned: "Given by you.",
  hint: "Taken from the file itself: whoever made the file chose it. Compare it with one that you have from elsewhere.",
};

export const CLAIMS = {
  session_id: "Session",
  guild_id: "Discord server",
  user_id: "Member",
  channel_id: "Channel",
  period_index: "Period",
  joined_at_ms: "Joined",
  left_at_ms: "Left",
  reason: "Why it ended",
  counted_ms: "Counted",
  bridged_ms: "of it bridged",
  unwitnessed_ms: "Not watched",
  credited_ms: "Credited",
  below_minimum: "Too short to count",
  guild_seq: "Place in the chain",
  signed_at_ms: "Signed",
  origin: "Log",
  started_at_ms: "Began",
  ended_at_ms: "Ended",
  records: "Records",
  sessions: "Sessions",
  erased_records: "Erased records",
  entry_count: "Members",
  size: "Entries of the log",
  leaf_index: "Place in the log",
  kid: "Key",
};

export const YES_OR_NO = { true: "yes", false: "no" };

export const CHECKS = {
  encoding: "keys, signatures and proofs can be read, each in its one spelling",
  record: "the record is canonical JSON",
  session: "the record is of a session, and complete",
  "key-id": "the record names the key that signed it",
  signature: "the signature is the key's, over exactly these bytes",
  "timeline-digest": "the timeline is the one that was signed",
  timeline: "the timeline covers the session without a gap",
  sums: "the sums follow from the timeline",
  "rules-digest": "the rules are those that were signed",
  rules: "the rules allow each pause in the timeline",
  "below-minimum": "what it says of whether the stay was too short to count is right",
  "key-records": "the key's activation and end are signed, and of this server",
  "key-window": "the key was good for the record's position",
  checkpoint: "the log's key signed the checkpoint",
  inclusion: "the record is in the log",
  "key-inclusion": "the key's activation and end are in the log",
  archive: "the archive holds nothing but one folder of plain files",
  files: "all files that are named are there, and no others",
  manifest: "the data files are those that the manifest names",
  "tag-manifest": "the other files are those that the tag manifest names",
  "export-signature": "the export key signed the tag manifest, both ways",
  keys: "each key file is the key that it is named for",
  period: "the period's record is complete, and of this period",
  records: "every record is canonical JSON, and of this server",
  signatures: "every record is signed by the key that it names",
  "key-windows": "every key was good for the positions that it signed",
  chain: "no record of the stretch is missing, and each names the one before",
  redacted: "what was erased is named by signed records",
  timelines: "every session has its timeline",
  sessions: "the timelines are those that were signed, and the sums follow from them",
  corrections: "corrected sessions stay within 0 and their length",
  "sessions-root": "the sessions are those of the period's record",
  entries: "the leaderboard's entries can be read",
  "entries-root": "the entries are those of the period's record",
  ranking: "the ranks follow from the times",
  "erased-sums": "entries of which sessions were erased follow from them",
  "erased-ranks": "ranks behind erased entries follow from the times",
  tables: "the tables say what the signed lines say",
  proofs: "the period's record and the keys' are in the log",
  "pinned-export-key": "the export's key is one that you gave",
  "pinned-key": "the record's key is one that you gave",
  "pinned-log-key": "the log's key is one that you gave",
};

export const SERVER = {
  title: "The server's own answer about a session",
  lead: "Not checked in your browser: this is what the server says of its own database.",
  valid: "The server says: valid",
  invalid: "The server says: not valid",
  states: {
    pending: "The record waits for a signature.",
    signed: "The record is signed, and not in the transparency log yet.",
    logged: "The record is signed, and in the transparency log.",
    redacted: "The record's content was erased; its place in the chain is still there.",
  },
  reason: "Why",
  state: "State",
  kid: "Key",
  signed_at: "Signed",
  leaf_index: "Place in the log",
  notAnId: "That is no session's id: it has 36 letters, digits and dashes.",
  unknown: "The server knows no session of that id.",
  tooMany: "The server was asked too often. Try again in {seconds} seconds.",
  failed: "The server did not answer ({message}). Without a network, drop a receipt instead.",
};

/** A text with its values. */
export function worded(text, values) {
  return text.replace(/\{(\w+)\}/g, (whole, name) => (Object.hasOwn(values, name) ? String(values[name]) : whole));
}
