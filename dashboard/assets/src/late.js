// Parts of a page that come after it, fetched by htmx: what cannot be had is said in its place.
//
//   <div data-late hx-get="…" hx-trigger="load" hx-select="#it" hx-swap="outerHTML" id="it">
//     <div data-late-loading>…</div>
//     <div data-late-failed hidden>… Try again</div>
//   </div>
export function lateParts() {
  // Another page than the one asked for has nothing to put there: a refused form (422), say.
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.target.matches("[data-late]") && detail.xhr.status !== 200) Object.assign(detail, { shouldSwap: false, isError: true });
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.successful || !detail.target.matches("[data-late]")) return;
    if (detail.xhr.status === 401) location.reload(); // to the page that offers to sign in
    const failed = detail.target.querySelector("[data-late-failed]");
    detail.target.querySelector("[data-late-loading]").hidden = true;
    if (failed.hidden) failed.hidden = false;
  });
}
