// What came of a verification: checks by name, what was expected and found, and on whose keys it rests. The same names, outcomes and
// verdicts as those of `rollcall verify --json`.

const SHOWN = 120;

/** What a check finds wrong: what a valid file has there, and what is there. */
export class Invalid extends Error {
  constructor(expected, found) {
    super(`expected ${expected}, found ${found}`);
    this.expected = String(expected);
    this.found = String(found);
  }
}

/** Why a check cannot be made. */
export class NotPossible extends Error {}

/** Why a file is none of those that can be judged. */
export class Unusable extends Error {}

/** Gathers checks in the order in which they are made. */
export class Report {
  constructor(kind) {
    this.kind = kind;
    this.unusable = null;
    this.checks = [];
    this.claims = {};
    this.trust = [];
  }

  static unusable(kind, why) {
    const report = new Report(kind);
    report.unusable = shown(why);
    return report;
  }

  /**
   * Make a check and note it. `check` answers `[value, found]`; the value is handed on, null where the check did not pass. Without
   * an optional check a file may be valid. Whatever else is thrown is a fault of this program, never a verdict.
   */
  async note(name, check, isRequired = true) {
    try {
      const [value, found] = await check();
      this.add(name, "passed", found, found, isRequired);
      return value;
    } catch (problem) {
      if (problem instanceof Invalid) this.add(name, "failed", problem.expected, problem.found, true);
      else if (problem instanceof NotPossible) this.add(name, "not_possible", "", problem.message, isRequired);
      else throw problem;
      return null;
    }
  }

  add(name, outcome, expected, found, isRequired) {
    this.checks.push({ name, outcome, expected, found, isRequired });
  }

  has(name) {
    return this.checks.some((check) => check.name === name);
  }

  /** Plain data: verdict `valid`, `invalid` or `unusable`, and why it is not valid. */
  told() {
    const first = (outcome) => this.checks.find((check) => check.outcome === outcome && check.isRequired);
    const [failed, missing] = [first("failed"), first("not_possible")];
    let [verdict, reason] = ["valid", null];
    if (this.unusable !== null) [verdict, reason] = ["unusable", this.unusable];
    else if (failed) [verdict, reason] = ["invalid", `${failed.name}: expected ${failed.expected}, found ${failed.found}`];
    else if (missing) [verdict, reason] = ["unusable", `${missing.name}: ${missing.found}`];
    else if (this.checks.length === 0) [verdict, reason] = ["unusable", "nothing was checked"];
    const checks = this.checks.map(({ name, outcome, expected, found }) => ({ name, outcome, expected, found }));
    return { kind: this.kind, verdict, reason, checks, claims: this.claims, trust: this.trust };
  }
}

/** A text from a file as it may be shown: bounded, and printable ASCII. */
export function shown(value, most = SHOWN) {
  let text = "";
  let count = 0;
  for (const letter of String(value)) {
    if (count >= most) return `${text}...`;
    text += letter >= " " && letter <= "~" && letter.length === 1 ? letter : `\\u{${letter.codePointAt(0).toString(16)}}`;
    count += 1;
  }
  return text;
}
