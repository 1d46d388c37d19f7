// What is found in an export, check by check: a check passes unless a fault was noted before, and has one fault, the first.
import { Invalid, shown } from "./report.js";

const KIND = "export";
const SHOWN = 200;

/** A check of an export that failed: its name, what a valid export has there, and what is there. */
export class Fault extends Invalid {
  constructor(check, expected, found) {
    super(shown(expected, SHOWN), shown(found, SHOWN));
    this.check = check;
  }
}

/**
 * The value of some work; what it finds wrong is a fault of that check.
 *
 * @throws {Fault}
 */
export function checkedAs(check, work, lead = "") {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Invalid) || error instanceof Fault) throw error;
    throw new Fault(check, `${lead}${error.expected}`, error.found);
  }
}

/** The checks of an export, in the order in which they were made. */
export class Findings {
  constructor(names) {
    this.names = names;
    this.done = new Map();
    this.claims = {};
    this.trust = [];
  }

  passed(name, found) {
    const text = shown(found, SHOWN);
    if (!this.done.has(name)) this.done.set(name, { name, outcome: "passed", expected: text, found: text });
  }

  failed(name, expected, found) {
    if (this.done.get(name)?.outcome === "failed") return;
    this.done.set(name, { name, outcome: "failed", expected: shown(expected, SHOWN), found: shown(found, SHOWN) });
  }

  /** An export may be valid without such a check only where something was erased. */
  notPossible(name, why) {
    if (!this.done.has(name)) this.done.set(name, { name, outcome: "not_possible", expected: "", found: shown(why, SHOWN) });
  }

  /** Do a part of the work: its value, or null where a fault ended it. */
  async stage(work) {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      this.failed(error.check, error.expected, error.found);
      return null;
    }
  }

  /** The verdict. What was never reached is said too. */
  told() {
    for (const name of this.names) this.notPossible(name, "since an earlier check did not pass");
    const checks = [...this.done.values()];
    const failed = checks.find((check) => check.outcome === "failed");
    const missing = checks.find((check) => check.outcome === "not_possible" && this.names.includes(check.name));
    let [verdict, reason] = ["valid", null];
    if (failed) [verdict, reason] = ["invalid", `${failed.name}: expected ${failed.expected}, found ${failed.found}`];
    else if (missing) [verdict, reason] = ["unusable", `${missing.name}: ${missing.found}`];
    return { kind: KIND, verdict, reason, checks, claims: this.claims, trust: this.trust };
  }
}
