// The last hour or day. The runtime keeps it, so it is still there when the page is loaded again.

import { $ } from "./element.js";
import { Timeline } from "./timeline.js";
import { duration } from "./words.js";

const AGAIN_MS = 30000;
const FEWEST = 60; // steps: a young history is stretched, but not to the whole width at once

const TIMELINES = [
  { title: "Frame rate", unit: "fps", digits: 1, figures: ["processed_fps", "captured_fps"], floor: 2 },
  { title: "Latency", unit: "ms", digits: 1, figures: ["latency_p95_ms", "latency_p50_ms"], floor: 2 },
  { title: "Temperature", unit: "°C", digits: 1, figures: ["temperature_c"], floor: 4, limit: "heat" },
  { title: "Power", unit: "W", digits: 2, figures: ["power_w"], floor: 0.5 },
  { title: "Memory", unit: "MiB", digits: 0, figures: ["memory_mb"], floor: 10 },
  { title: "Faces", unit: "in view", digits: 1, figures: ["faces"], floor: 1 },
];

export class History {
  constructor() {
    this.timelines = TIMELINES.map((each) => new Timeline(each));
    $("timelines").replaceChildren(...this.timelines.map(({ place }) => place));
    this.span = "hour";
    this.camera = null; // null: the only one
    this.newest = null;
    this.limits = { heat: null };
    this.timer = 0;
    $("span").addEventListener("change", (event) => {
      this.span = event.target.value;
      this.refresh();
    });
    document.addEventListener("visibilitychange", () => this.refresh());
    this.refresh();
  }

  /** Of several cameras the chosen one's figures are drawn, where there are some of it alone. */
  look(camera) {
    if (this.camera === camera) return;
    this.camera = camera;
    if (this.newest) this.draw(this.newest);
  }

  /** Where the processor slows down is told by the status. */
  update(machine) {
    this.limits.heat = machine?.temperature_limit_c ?? null;
  }

  async refresh() {
    clearTimeout(this.timer);
    if (document.hidden) return;
    this.timer = setTimeout(() => this.refresh(), AGAIN_MS);
    const span = this.span;
    const answer = await fetch(`/api/v1/history?span=${span}`).catch(() => null);
    if (span !== this.span) return; // another was chosen meanwhile
    if (!answer?.ok) $("history-since").textContent = "The runtime does not give its history now; asking again.";
    else this.draw(await answer.json());
  }

  draw(history) {
    this.newest = history;
    const own = history.cameras[this.camera] ?? {};
    const steps = history.figures.memory_mb.mean;
    const begun = Object.values(history.figures).map(({ mean }) => mean.findIndex((value) => value !== null));
    const start = Math.min(...begun.map((i) => (i < 0 ? steps.length - 1 : i)));
    const first = Math.min(start, Math.max(steps.length - FEWEST, 0));
    const seconds = (steps.length - first) * history.step_s;
    $("history-since").textContent = `From ${duration(seconds)} ago until now, a point for every ${duration(history.step_s)}`;
    const span = `last ${duration(seconds)}`;
    for (const each of this.timelines) {
      const alone = each.figures[0] in own;
      each.name(alone ? `${each.title}, ${this.camera}` : each.title);
      const figures = each.figures.map((name) => (alone ? own[name] : history.figures[name]));
      each.draw(figures.filter(Boolean), first, this.limits[each.limit] ?? null, span);
    }
  }
}
