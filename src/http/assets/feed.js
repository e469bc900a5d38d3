// Server-sent events over fetch: unlike EventSource it can send the token in a header, so that no URL holds it.

const SILENCE = 40000; // the server says something every 15 s
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 15000;

// Splits a stream's text into events. Feed it chunks; it calls `onEvent({event, data, id, retry})`.
export function parser(onEvent) {
  let rest = "";
  let event = {};
  return (chunk) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line === "") {
        if (event.data !== undefined) onEvent(event);
        event = {};
        continue;
      }
      if (line.startsWith(":")) continue;
      const colon = line.indexOf(":");
      const name = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (name === "data") event.data = event.data === undefined ? value : event.data + "\n" + value;
      if (name === "event" || name === "id") event[name] = value;
    }
  };
}

// Keeps a feed open until `stop()` is called. `position()` says how far it has been read; `onState` hears "open",
// "lost" and "refused" (the token is not known any more).
export function follow({ url, token, position, onEvent, onState }) {
  let stopped = false;
  let pause = FIRST_PAUSE;
  let wake = () => {};
  let abort = new AbortController();

  async function once() {
    abort = new AbortController();
    let watchdog = setTimeout(() => abort.abort(), SILENCE);
    const headers = { Authorization: "Bearer " + token, Accept: "text/event-stream", "Last-Event-ID": String(position()) };
    try {
      const response = await fetch(url, { headers, signal: abort.signal, cache: "no-store" });
      if (response.status === 401) {
        stopped = true;
        onState("refused");
        return;
      }
      if (!response.ok) throw new Error("status " + response.status);
      onState("open");
      pause = FIRST_PAUSE;
      const take = parser(onEvent);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), SILENCE);
        take(value);
      }
    } finally {
      clearTimeout(watchdog);
    }
  }

  async function forever() {
    while (!stopped) {
      try {
        await once();
      } catch {
        // The connection is gone; what matters is said by the state.
      }
      if (stopped) return;
      onState("lost");
      await new Promise((resolve) => {
        wake = resolve;
        setTimeout(resolve, pause * (0.75 + Math.random() / 2));
      });
      pause = Math.min(pause * 2, LONGEST_PAUSE);
    }
  }

  const now = () => {
    pause = FIRST_PAUSE;
    wake();
  };
  const onOnline = () => now();
  const onOffline = () => abort.abort();
  const onVisible = () => document.visibilityState === "visible" && now();
  addEventListener("online", onOnline);
  addEventListener("offline", onOffline);
  document.addEventListener("visibilitychange", onVisible);
  forever();
  return {
    stop() {
      stopped = true;
      abort.abort();
      wake();
      removeEventListener("online", onOnline);
      removeEventListener("offline", onOffline);
      document.removeEventListener("visibilitychange", onVisible);
    },
  };
}
