// The status as it changes, over server-sent events, with a connection that heals itself.

const SILENT_MS = 25000; // the runtime says something every 10 s at least
const AGAIN_MS = 3000;

/** Calls `onStatus(status)` for each change and `onLink("live" | "reconnecting")`. */
export function follow(onStatus, onLink) {
  let status = null;
  let events = null;
  let silent = 0;

  function heard() {
    clearTimeout(silent);
    silent = setTimeout(restart, SILENT_MS);
    onLink("live");
  }

  function receive(event) {
    const sections = JSON.parse(event.data);
    status = event.type === "status" ? sections : { ...status, ...sections };
    heard();
    onStatus(status);
  }

  function restart() {
    events?.close();
    onLink("reconnecting");
    events = new EventSource("/api/v1/live");
    events.addEventListener("status", receive);
    events.addEventListener("change", receive);
    events.addEventListener("error", () => {
      onLink("reconnecting");
      // The browser retries a broken line by itself, but gives up after an answer like 401 or 503.
      if (events.readyState === EventSource.CLOSED) setTimeout(retry, AGAIN_MS);
    });
    clearTimeout(silent);
    silent = setTimeout(restart, SILENT_MS);
  }

  async function retry() {
    const answer = await fetch("/api/v1/status").catch(() => null);
    if (answer?.status === 401) location.reload(); // the token has changed: ask for it
    else restart();
  }

  restart();
}
