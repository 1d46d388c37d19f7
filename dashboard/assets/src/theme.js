// The light, dark or automatic look. Without a script the form posts and the server sets the same cookie, which it also reads when it
// writes <html data-theme>: so a page never flashes in the other colours.
const COOKIE = "theme";
const YEAR_S = 31_536_000;

export function themeSwitch() {
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-theme-form]");
    const choice = event.submitter?.value;
    if (!form || !choice) return;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `${COOKIE}=${choice}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
    // A cookie that the server once set is not ours to change: then it is asked to.
    if (!document.cookie.split("; ").includes(`${COOKIE}=${choice}`)) return;
    event.preventDefault();
    if (choice === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = choice;
    for (const button of form.querySelectorAll("button[name=theme]")) {
      button.setAttribute("aria-pressed", String(button.value === choice));
    }
    document.dispatchEvent(new CustomEvent("rollcall:theme"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    document.dispatchEvent(new CustomEvent("rollcall:theme"));
  });
}
