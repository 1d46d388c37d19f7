// Instants in the viewer's zone. The server writes them in the guild's zone and says so in the title, which stays.
// The form is the server's (dashboard/instants.py): 28 Nov 2026, 21:39.
const PARTS = {
  datetime: { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" },
  date: { day: "numeric", month: "short", year: "numeric" },
  time: { hour: "2-digit", minute: "2-digit" },
};
const formats = new Map();

function format(style) {
  if (!formats.has(style)) {
    const locale = document.documentElement.lang || "en";
    formats.set(style, new Intl.DateTimeFormat(locale, { ...PARTS[style], hourCycle: "h23" }));
  }
  return formats.get(style);
}

export function localText(date, style) {
  const part = Object.fromEntries(format(style).formatToParts(date).map(({ type, value }) => [type, value]));
  const day = `${part.day} ${part.month} ${part.year}`;
  const clock = `${part.hour}:${part.minute}`;
  return { datetime: `${day}, ${clock}`, date: day, time: clock }[style];
}

// "3 h 07 min" since an instant, by the words that the server put beside it.
function elapsed(node, now) {
  const minutes = Math.max(0, Math.floor((now - Date.parse(node.dataset.since)) / 60_000));
  const pattern = minutes < 60 ? node.dataset.minutes : node.dataset.hours;
  const text = pattern
    .replace("{m}", minutes < 60 ? String(minutes) : String(minutes % 60).padStart(2, "0"))
    .replace("{h}", String(Math.floor(minutes / 60)));
  if (node.textContent !== text) node.textContent = text;
}

export function localTimes(root) {
  for (const node of root.querySelectorAll("time[data-style]")) {
    const date = new Date(node.dateTime);
    if (!Number.isNaN(date.valueOf())) node.textContent = localText(date, node.dataset.style);
  }
  for (const node of root.querySelectorAll("[data-since]")) elapsed(node, Date.now());
}

setInterval(() => {
  for (const node of document.querySelectorAll("[data-since]")) elapsed(node, Date.now());
}, 15_000);
