// What came of one file, as a part of the page. Texts go in as texts: nothing from a file is ever read as HTML.
import {
  CHECKS, CLAIMS, KINDS, MEANINGS, ON_HINTS, OUTCOMES, PAGE, PROBLEMS, ROLES, SECTIONS, SERVER, TRUST, VERDICTS, VERDICT_LEADS,
  YES_OR_NO, worded,
} from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const MARKS = {
  valid: "M5 16.5l7 7 15-15",
  invalid: "M7 7l18 18M25 7L7 25",
  unusable: "M16 6v12M16 24v2",
};
const INSTANTS = ["joined_at_ms", "left_at_ms", "signed_at_ms", "started_at_ms", "ended_at_ms"];
const FURTHEST_MS = 8.64e15; // of a Date

/** An element with attributes and children. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** A report as the page shows it. */
export function reportArticle(name, report) {
  const isOnHints = report.verdict === "valid" && report.trust.some((one) => !one.pinned);
  const article = verdictArticle(report.verdict, VERDICTS[report.verdict], `${KINDS[report.kind]}: ${name}`, [
    VERDICT_LEADS[report.verdict],
  ]);
  if (isOnHints) article.append(element("p", { class: "warning" }, ON_HINTS));
  const body = element("div", { class: "body" });
  body.append(...reasonPart(report));
  body.append(...claimsPart(report), ...checksPart(report.checks), ...trustPart(report.trust), ...meaningPart(report));
  body.append(removal(article));
  article.append(body);
  return article;
}

/** Why a file was not judged at all. */
export function problemArticle(name, { kind, message }) {
  const article = verdictArticle("unusable", VERDICTS.unusable, name, [worded(PROBLEMS[kind], { message })]);
  article.append(element("div", { class: "body" }, removal(article)));
  return article;
}

/** What the server said about a session. */
export function serverArticle(id, answer) {
  const verdict = answer.valid === true ? "valid" : "invalid";
  const article = verdictArticle("unusable", SERVER[verdict], `${SERVER.title}: ${id}`, [SERVER.lead]);
  const rows = [
    [SERVER.reason, answer.reason],
    [SERVER.state, SERVER.states[answer.state]],
    [SERVER.signed_at, answer.signed_at],
    [SERVER.kid, answer.kid],
    [SERVER.leaf_index, answer.leaf_index],
  ].filter(([, value]) => value !== undefined && value !== null);
  const list = element("dl", {}, ...rows.flatMap(([term, value]) => described(term, String(value))));
  article.append(element("div", { class: "body" }, heading(SECTIONS.says), list, removal(article)));
  return article;
}

/** Why the server gave no answer. */
export function noAnswerArticle(id, why) {
  const article = verdictArticle("unusable", VERDICTS.unusable, `${SERVER.title}: ${id}`, [why]);
  article.append(element("div", { class: "body" }, removal(article)));
  return article;
}

function verdictArticle(verdict, title, file, lines) {
  const mark = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [name, value] of Object.entries({ viewBox: "0 0 32 32", class: "mark", "aria-hidden": "true" })) mark.setAttribute(name, value);
  const stroke = { d: MARKS[verdict], fill: "none", stroke: "currentColor", "stroke-width": "4", "stroke-linecap": "round" };
  for (const [name, value] of Object.entries(stroke)) path.setAttribute(name, value);
  mark.append(path);
  const words = element("div", {}, element("h3", {}, title), element("p", { class: "file" }, file));
  words.append(...lines.map((line) => element("p", {}, line)));
  const article = element("article", { class: verdict, tabindex: "-1" });
  article.append(element("div", { class: "verdict" }, mark, words));
  return article;
}

// In words first: which of the things that must be so is not. Then as a program says it.
function reasonPart({ reason, checks }) {
  if (reason === null) return [];
  const failed = checks.filter((check) => check.outcome === "failed" && Object.hasOwn(CHECKS, check.name));
  const words = failed.map(({ name }) => element("li", {}, worded(SECTIONS.notSo, { what: CHECKS[name] })));
  const list = words.length > 0 ? [element("ul", {}, ...words)] : [];
  return [heading(SECTIONS.why), ...list, element("p", { class: words.length > 0 ? "hint" : "" }, reason)];
}

function claimsPart({ verdict, claims }) {
  const rows = Object.entries(claims);
  if (rows.length === 0) return [];
  const list = element("dl", {}, ...rows.flatMap(([name, value]) => described(CLAIMS[name] ?? name, claimText(name, value))));
  return [heading(verdict === "valid" ? SECTIONS.says : SECTIONS.saysUnproven), list];
}

function checksPart(checks) {
  if (checks.length === 0) return [];
  const count = (outcome) => checks.filter((check) => check.outcome === outcome).length;
  const counts = { passed: count("passed"), failed: count("failed"), notPossible: count("not_possible") };
  const listed = (some) => element("ul", { class: "checks" }, ...some.map(checkItem));
  const passed = checks.filter((check) => check.outcome === "passed");
  const others = checks.filter((check) => check.outcome !== "passed");
  const parts = [heading(SECTIONS.checks), element("p", { class: "counts" }, worded(SECTIONS.counts, counts))];
  if (others.length > 0) parts.push(listed([...others].sort((left, right) => weight(left) - weight(right))));
  if (passed.length > 0) {
    parts.push(element("details", {}, element("summary", {}, worded(SECTIONS.passed, counts)), listed(passed)));
  }
  return parts;
}

function weight(check) {
  return check.outcome === "failed" ? 0 : 1;
}

function checkItem({ name, outcome, expected, found }) {
  const what = element("p", { class: "what" }, element("code", {}, name), ` ${CHECKS[name] ?? ""}`);
  const item = element("li", { class: outcome }, element("span", { class: "outcome" }, OUTCOMES[outcome]), what);
  const rows = [];
  if (outcome === "failed") rows.push(...described(SECTIONS.expected, expected));
  if (found !== "") rows.push(...described(SECTIONS.found, found));
  if (rows.length > 0) item.append(element("dl", {}, ...rows));
  return item;
}

function trustPart(trust) {
  if (trust.length === 0) return [];
  const rows = trust.flatMap(({ role, key, pinned }) => {
    const value = element("dd", {}, element("code", {}, key), element("br"), pinned ? TRUST.pinned : TRUST.hint);
    return [element("dt", {}, ROLES[role]), value];
  });
  return [heading(SECTIONS.trust), element("dl", { class: "trust" }, ...rows)];
}

function meaningPart({ verdict, kind }) {
  if (verdict !== "valid") return [];
  return [heading(SECTIONS.meaning), ...MEANINGS[kind].map((text) => element("p", {}, text))];
}

function heading(text) {
  return element("h3", {}, text);
}

function described(term, text) {
  return [element("dt", {}, term), element("dd", {}, text)];
}

function removal(article) {
  const button = element("button", { type: "button", class: "plain" }, PAGE.remove);
  button.addEventListener("click", () => {
    const section = article.parentElement;
    article.remove();
    section.dispatchEvent(new CustomEvent("emptied", { bubbles: true }));
  });
  return element("p", {}, button);
}

// Times as people read them, with the exact number behind.
function claimText(name, value) {
  if (Object.hasOwn(YES_OR_NO, value) && name === "below_minimum") return YES_OR_NO[value];
  if (!name.endsWith("_ms") || !/^-?[0-9]+$/.test(value) || Math.abs(Number(value)) > FURTHEST_MS) return value;
  if (INSTANTS.includes(name)) return `${new Date(Number(value)).toISOString().replace("T", " ").slice(0, 19)} UTC (${value})`;
  const ms = Math.abs(Number(value));
  const two = (number) => String(number).padStart(2, "0");
  const clock = `${Math.floor(ms / 3600000)}:${two(Math.floor(ms / 60000) % 60)}:${two(Math.floor(ms / 1000) % 60)}`;
  return `${value.startsWith("-") ? "-" : ""}${clock}.${String(ms % 1000).padStart(3, "0")} (${value} ms)`;
}
