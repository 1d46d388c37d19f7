// Live parts of a page, by server-sent events.
//
//   <div data-live="/guilds/1/events" data-live-events="session reset">
//     <span data-live-status data-on="Live" data-off="Reconnecting">Live</span>
//     <section data-live-slot="occupancy">…</section>
//   </div>
//
// An event `occupancy` carries the slot's new inner HTML in its data. Events that data-live-events names carry what they like; both
// are also dispatched on the body as `live:NAME`, for hx-trigger="live:session from:body". Asked without Last-Event-ID, the server
// first sends every slot as it is now: something may have happened since the page was made. The browser reconnects by itself with
// Last-Event-ID. Where it cannot know what it missed (it slept, was offline, was refused, the tab was hidden for long) the page is
// fetched anew and every slot replaced: right again, whatever happened meanwhile.
const HIDDEN_MS = 60_000; // after so long in the background the connection is given up: browsers allow six for a site
const RETRY_MS = [1_000, 2_000, 5_000, 10_000, 30_000];
const ASLEEP_MS = 20_000; // a timer of 5 s that comes so late: the machine slept

class LiveRegion {
  constructor(region, onSwap) {
    this.region = region;
    this.onSwap = onSwap;
    this.failures = 0;
    this.lastId = "";
    this.pending = new Map();
  }

  slots() {
    return [...this.region.querySelectorAll("[data-live-slot]")];
  }

  names() {
    const named = (this.region.dataset.liveEvents ?? "").split(/\s+/).filter(Boolean);
    return new Set([...this.slots().map((slot) => slot.dataset.liveSlot), ...named]);
  }

  open() {
    this.close();
    if (!this.region.isConnected) return;
    const url = new URL(this.region.dataset.live, location.href);
    if (this.lastId) url.searchParams.set("last_event_id", this.lastId);
    this.source = new EventSource(url);
    this.source.addEventListener("open", () => {
      this.failures = 0;
      this.say(true);
    });
    this.source.addEventListener("error", () => {
      this.say(false);
      // CONNECTING: the browser tries again by itself. CLOSED: it was refused and never will.
      if (this.source?.readyState === EventSource.CLOSED) this.retry();
    });
    for (const name of this.names()) this.source.addEventListener(name, (event) => this.receive(name, event));
  }

  close() {
    this.source?.close();
    this.source = undefined;
    clearTimeout(this.timer);
  }

  retry() {
    this.close();
    const wait = RETRY_MS[Math.min(this.failures, RETRY_MS.length - 1)];
    this.failures += 1;
    this.timer = setTimeout(() => this.resume(), wait * (0.75 + Math.random() / 2)); // not all viewers at once
  }

  // The truth from a fresh page, then the stream again.
  async resume() {
    clearTimeout(this.timer);
    if (this.resuming) return;
    this.resuming = true;
    try {
      await this.refetch();
      this.open();
    } catch {
      this.say(false);
      this.retry();
    } finally {
      this.resuming = false;
    }
  }

  async refetch() {
    const address = this.region.dataset.liveRefresh ?? location.href;
    const answer = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store", credentials: "same-origin" });
    if (answer.status === 401 || answer.status === 403 || new URL(answer.url).pathname !== new URL(address, location.href).pathname) {
      location.reload(); // signed out, or no longer allowed: the server says it best
      return;
    }
    if (!answer.ok) throw new Error(`refetch: ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const slot of this.slots()) {
      const found = fresh.querySelector(`[data-live-slot="${CSS.escape(slot.dataset.liveSlot)}"]`);
      if (found) this.swap(slot, found.innerHTML);
    }
  }

  receive(name, event) {
    if (event.lastEventId) this.lastId = event.lastEventId;
    document.body.dispatchEvent(new CustomEvent(`live:${name}`, { detail: event.data }));
    if (!this.slots().some((slot) => slot.dataset.liveSlot === name)) return;
    // Of several in one frame the last one is drawn.
    if (this.pending.size === 0) requestAnimationFrame(() => this.draw());
    this.pending.set(name, event.data);
  }

  draw() {
    for (const [name, html] of this.pending) {
      for (const slot of this.slots()) if (slot.dataset.liveSlot === name) this.swap(slot, html);
    }
    this.pending.clear();
  }

  swap(slot, html) {
    const focused = slot.contains(document.activeElement) ? document.activeElement.id : "";
    const opened = [...slot.querySelectorAll("details[open][id]")].map((details) => details.id);
    const template = document.createElement("template");
    template.innerHTML = html;
    slot.replaceChildren(template.content);
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
    this.onSwap(slot);
  }

  say(on) {
    for (const node of document.querySelectorAll("[data-live-status]")) {
      node.dataset.liveStatus = on ? "on" : "off";
      const words = node.querySelector("[data-live-words]") ?? node;
      const text = on ? node.dataset.on : node.dataset.off;
      if (text && words.textContent !== text) words.textContent = text;
    }
  }
}

export function liveRegions(root, onSwap) {
  const regions = [...root.querySelectorAll("[data-live]")].map((region) => new LiveRegion(region, onSwap));
  if (regions.length === 0) return;
  const all = (step) => regions.forEach(step);
  let hiddenTimer;
  let tick = Date.now();
  all((region) => region.open());

  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiddenTimer);
    if (document.hidden) hiddenTimer = setTimeout(() => all((region) => region.close()), HIDDEN_MS);
    else all((region) => region.resume());
  });
  addEventListener("online", () => all((region) => region.resume()));
  addEventListener("offline", () => all((region) => region.say(false)));
  addEventListener("pageshow", (event) => {
    if (event.persisted) all((region) => region.resume());
  });
  addEventListener("pagehide", () => all((region) => region.close()));
  setInterval(() => {
    const now = Date.now();
    if (now - tick > ASLEEP_MS && !document.hidden) all((region) => region.resume());
    tick = now;
  }, 5_000);
}
