// Keeps the page's own files, so that it opens without a network. Files that are checked never come here, nor do answers of the
// server. The server puts the version and the names in place of these two: a change of any file is a new version.
const VERSION = "development";
const FILES = ["page.js"];

const CACHE = `rollcall-verifier-${VERSION}`;
const page = new URL("../../verify", globalThis.location.href).href;
const kept = new Set([page, ...FILES.map((name) => new URL(name, globalThis.location.href).href)]);

globalThis.addEventListener("install", (event) => {
  globalThis.skipWaiting();
  event.waitUntil(
    caches.open(CACHE).then((cache) => cache.addAll([...kept].map((url) => new Request(url, { cache: "reload", credentials: "omit" })))),
  );
});

globalThis.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("rollcall-verifier-") && name !== CACHE;
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name)))));
});

globalThis.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  const plain = url.origin + url.pathname;
  if (event.request.method !== "GET" || !kept.has(plain)) return;
  event.respondWith(caches.match(plain, { cacheName: CACHE }).then((found) => found ?? fetch(event.request)));
});
