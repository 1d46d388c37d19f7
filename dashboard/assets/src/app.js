// Everything a page needs of JavaScript. Pages work without it, but for what is live; each module here takes a root element, looks
// for its attributes below it and may be called again for content that came later (htmx, live slots).
import htmx from "htmx.org";
import { confirmSteps } from "./confirm.js";
import { copyButtons } from "./copy.js";
import { lateParts } from "./late.js";
import { liveRegions } from "./live.js";
import { channelPickers } from "./picker.js";
import { startDownloads } from "./start-download.js";
import { submitOnce } from "./submit-once.js";
import { themeSwitch } from "./theme.js";
import { localTimes } from "./times.js";

Object.assign(htmx.config, {
  allowEval: false, // the CSP forbids it
  allowScriptTags: false,
  includeIndicatorStyles: false, // would be an inline style sheet
  selfRequestsOnly: true,
  historyCacheSize: 0, // members' times do not belong into localStorage
  refreshOnHistoryMiss: true,
  // A form that the API refused comes back as 422 with the words beside its fields.
  responseHandling: [
    { code: "204", swap: false },
    { code: "[23]..", swap: true },
    { code: "422", swap: true },
    { code: "[45]..", swap: false, error: true },
  ],
});

export function enliven(root) {
  localTimes(root);
  copyButtons(root);
  confirmSteps(root);
  channelPickers(root);
  submitOnce(root);
  startDownloads(root);
  for (const figure of root.querySelectorAll("[data-dense-chart]")) {
    import("./dense-chart.js").then(({ denseChart }) => denseChart(figure));
  }
}

document.documentElement.classList.add("has-script");
themeSwitch();
lateParts();
enliven(document);
liveRegions(document, (root) => {
  htmx.process(root);
  enliven(root);
});
document.addEventListener("htmx:load", (event) => {
  if (event.detail.elt !== document.body) enliven(event.detail.elt);
});
