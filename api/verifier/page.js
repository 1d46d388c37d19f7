// The page: takes files and keys, hands them to the worker, shows what came of them.
import { element, noAnswerArticle, problemArticle, reportArticle, serverArticle } from "./result.js";
import { ENGINE, PAGE, SERVER, STAGES, VERDICTS, worded } from "./words.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
// In the page that was saved as one file, the whole of the code is in this element, and there is no server to ask.
const bundle = globalThis.document?.getElementById("code")?.textContent ?? null;
const scripts = globalThis.trustedTypes?.createPolicy("rollcall", { createScriptURL: (url) => url }) ?? { createScriptURL: String };
const waiting = [];
let worker = null;
let running = null;
let isReady = false;

if (typeof document !== "undefined") start();

function start() {
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = PAGE[place.dataset.word];
  document.getElementById("proves").append(...PAGE.provesList.map((text) => element("li", {}, text)));
  document.getElementById("unsupported").remove();
  document.getElementById("page").hidden = false;
  takeFiles();
  takeQuestions();
  document.getElementById("stop").addEventListener("click", stop);
  document.getElementById("results").addEventListener("emptied", ({ currentTarget }) => {
    document.getElementById("results-section").hidden = currentTarget.childElementCount === 0;
    document.getElementById("files").focus();
  });
  startWorker();
  keepForOffline();
}

function startWorker() {
  const url = bundle === null ? at("verify/page/worker.js") : URL.createObjectURL(new Blob([bundle], { type: "text/javascript" }));
  worker = new Worker(scripts.createScriptURL(url), { type: bundle === null ? "module" : "classic" });
  worker.addEventListener("message", ({ data }) => heard(data));
  worker.addEventListener("error", (event) => {
    if (!isReady) tellEngine("no-worker");
    else if (running !== null) finish(problemArticle(running.name, { kind: "broken", message: event.message ?? "" }), VERDICTS.unusable);
  });
}

function heard(data) {
  if ("engine" in data) tellEngine(data.engine);
  if (running === null || data.id !== running.id) return;
  if (data.progress) showProgress(data.progress);
  if (data.report) finish(reportArticle(running.name, data.report), VERDICTS[data.report.verdict]);
  if (data.problem) finish(problemArticle(running.name, data.problem), VERDICTS.unusable);
}

function tellEngine(missing) {
  const notice = document.getElementById("engine");
  isReady = missing === null;
  notice.textContent = isReady ? PAGE.ready : ENGINE[missing];
  notice.className = `notice ${isReady ? "good" : "bad"}`;
  document.getElementById("files").disabled = !isReady;
  next();
}

function takeFiles() {
  const [drop, files] = [document.getElementById("drop"), document.getElementById("files")];
  files.addEventListener("change", () => {
    take(files.files);
    files.value = ""; // so that the same file can be chosen again
  });
  for (const name of ["dragenter", "dragover"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (event.relatedTarget === null) drop.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files);
  });
}

function take(files) {
  const given = (id) => [document.getElementById(id).value].filter((text) => text.trim() !== "");
  const pins = { keys: given("key"), logKeys: given("log-key"), exportKeys: given("export-key") };
  const record = document.getElementById("record").files[0] ?? null;
  for (const file of files) waiting.push({ id: crypto.getRandomValues(new Uint32Array(2)).join("-"), name: file.name, file, pins, record });
  next();
}

function next() {
  if (!isReady || running !== null || waiting.length === 0) return;
  running = waiting.shift();
  document.getElementById("running").hidden = false;
  document.getElementById("progress").removeAttribute("value");
  tell(worded(PAGE.checking, running), true);
  const { id, file, pins, record } = running;
  worker.postMessage({ id, file, pins, record });
}

function showProgress({ stage, done, total }) {
  const bar = document.getElementById("progress");
  document.getElementById("progress-label").textContent = `${worded(PAGE.checking, running)} ${STAGES[stage]}`;
  bar.max = Math.max(total, 1);
  bar.value = Math.min(done, total);
}

function finish(article, verdict) {
  const { name } = running;
  running = null;
  document.getElementById("running").hidden = true;
  show(article);
  tell(worded(PAGE.done, { name, verdict }));
  next();
}

function show(article) {
  document.getElementById("results-section").hidden = false;
  document.getElementById("results").prepend(article);
  article.focus();
  article.scrollIntoView({ block: "nearest" });
}

function stop() {
  if (running === null) return;
  const { name } = running;
  worker.terminate();
  running = null;
  isReady = false;
  document.getElementById("running").hidden = true;
  tell(worded(PAGE.stopped, { name }));
  startWorker();
}

function tell(text, isProgress = false) {
  document.getElementById("said").textContent = text;
  if (isProgress) document.getElementById("progress-label").textContent = text;
}

function takeQuestions() {
  if (bundle !== null) {
    for (const id of ["by-id", "save"]) document.getElementById(id).hidden = true;
    document.getElementById("save-lead").textContent = PAGE.oneFile;
    return;
  }
  const input = document.getElementById("session-id");
  document.getElementById("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    ask(input.value.trim());
  });
  const linked = new URLSearchParams(location.search).get("session");
  if (linked !== null) {
    input.value = linked;
    ask(linked);
  }
}

async function ask(id) {
  if (!UUID.test(id)) {
    show(noAnswerArticle(id.slice(0, 64), SERVER.notAnId));
    return;
  }
  tell(PAGE.asking);
  const article = await answerOf(id);
  show(article);
  tell(article.querySelector("h3").textContent);
}

async function answerOf(id) {
  try {
    const answer = await fetch(at(`verify/session/${id}`), { headers: { Accept: "application/json" }, credentials: "omit" });
    if (answer.status === 404) return noAnswerArticle(id, SERVER.unknown);
    if (answer.status === 429) return noAnswerArticle(id, worded(SERVER.tooMany, { seconds: answer.headers.get("Retry-After") ?? "60" }));
    if (!answer.ok) return noAnswerArticle(id, worded(SERVER.failed, { message: String(answer.status) }));
    return serverArticle(id, await answer.json());
  } catch (error) {
    return noAnswerArticle(id, worded(SERVER.failed, { message: error.message }));
  }
}

// From then on the page opens without a network as well; not in every browser's private windows.
function keepForOffline() {
  if (bundle !== null || !("serviceWorker" in navigator)) return;
  const url = scripts.createScriptURL(at("verify/page/service-worker.js"));
  navigator.serviceWorker.register(url, { scope: at("verify") }).catch((error) => {
    document.getElementById("save-lead").textContent = worded(PAGE.notKept, { message: error.message });
  });
}

function at(path) {
  return new URL(path, document.baseURI).href;
}
