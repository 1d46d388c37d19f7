// A form is sent once: a second click while the answer is on its way does nothing.
export function submitOnce(root) {
  for (const form of root.querySelectorAll("form[method=post]:not([data-ready]):not([data-theme-form])")) {
    form.dataset.ready = "";
    form.addEventListener("submit", (event) => {
      if (form.hasAttribute("aria-busy")) event.preventDefault();
      else form.setAttribute("aria-busy", "true");
    });
    form.addEventListener("htmx:afterRequest", () => form.removeAttribute("aria-busy"));
  }
}

// Coming back by the browser's back button shows the page as it was left: its forms may be sent again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) form.removeAttribute("aria-busy");
});
