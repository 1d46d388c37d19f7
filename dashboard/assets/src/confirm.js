// A confirm step is a <details>: opening it puts the focus into the step, Escape and its cancel button close it again.
export function confirmSteps(root) {
  for (const step of root.querySelectorAll("details.confirm:not([data-ready])")) {
    step.dataset.ready = "";
    const summary = step.querySelector("summary");
    const close = () => {
      step.open = false;
      summary.focus();
    };
    let wasOpen = step.open; // one that came open says so with an event of its own: the focus is where the page put it
    step.addEventListener("toggle", () => {
      const opened = step.open && !wasOpen;
      wasOpen = step.open;
      if (opened) step.querySelector("[data-first], input:not([type=hidden]), button")?.focus();
    });
    step.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && step.open) close();
    });
    step.querySelector("[data-cancel]")?.addEventListener("click", close);
  }
}
