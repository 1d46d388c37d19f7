// A confirm step is a <details>: opening it puts the focus into the step, Escape and its cancel button close it again.
export function confirmSteps(root) {
  for (const step of root.querySelectorAll("details.confirm:not([data-ready])")) {
    step.dataset.ready = "";
    const summary = step.querySelector("summary");
    const close = () => {
      step.open = false;
      summary.focus();
    };
    step.addEventListener("toggle", () => {
      if (step.open) step.querySelector("[data-first], input:not([type=hidden]), button")?.focus();
    });
    step.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && step.open) close();
    });
    step.querySelector("[data-cancel]")?.addEventListener("click", close);
  }
}
