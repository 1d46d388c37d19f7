// A button that copies the text of the element that data-copy names. What it says when done, or when it may not, is in its data-*.
const SHOWN_MS = 2_000;

export function copyButtons(root) {
  for (const button of root.querySelectorAll("button[data-copy]:not([data-ready])")) {
    button.dataset.ready = "";
    const words = button.querySelector("[data-copy-words]");
    const idle = words.textContent;
    let timer;
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      let said = button.dataset.done;
      try {
        await navigator.clipboard.writeText(source.textContent);
      } catch {
        // No permission, or plain http: select it, so that the keyboard can copy it.
        getSelection().selectAllChildren(source);
        said = button.dataset.failed;
      }
      words.textContent = said;
      clearTimeout(timer);
      timer = setTimeout(() => {
        words.textContent = idle;
      }, SHOWN_MS);
    });
  }
}
