// The live view: it runs only while it can be seen, for each viewer costs the runtime work.

import { $ } from "./element.js";

const AGAIN_MS = 4000;
const REASONS = { viewer: "the slowest viewer's line", making: "the board is busy" };

export class View {
  constructor() {
    this.image = $("live");
    this.screen = $("screen");
    this.inSight = false;
    this.running = false;
    this.refused = false;
    this.forbidden = false; // the token is for figures only
    this.status = null;
    this.camera = null; // null: the only one
    this.image.addEventListener("load", () => this.shown());
    this.image.addEventListener("error", () => this.failed());
    document.addEventListener("visibilitychange", () => this.decide());
    window.addEventListener("pagehide", () => this.stop());
    new IntersectionObserver((entries) => {
      this.inSight = entries[entries.length - 1].isIntersecting;
      this.decide();
    }).observe(this.screen);
  }

  decide() {
    if (this.inSight && !document.hidden && !this.forbidden) this.start();
    else this.stop();
  }

  start() {
    if (this.running) return;
    this.running = true;
    const which = this.camera === null ? "" : `camera=${encodeURIComponent(this.camera)}&`;
    this.image.src = `/api/v1/stream.mjpg?${which}at=${Date.now()}`;
  }

  stop() {
    this.running = false;
    this.image.removeAttribute("src");
    this.image.hidden = true;
  }

  /** A new connection, after the old one broke. */
  restart() {
    if (!this.running) return;
    this.stop();
    this.decide();
  }

  /** Another camera from now on. */
  look(camera) {
    if (this.camera === camera) return;
    this.camera = camera;
    this.restart();
  }

  shown() {
    this.refused = false;
    this.image.hidden = false;
    this.say();
  }

  failed() {
    if (!this.running) return;
    this.stop();
    this.refused = true;
    this.say();
    this.again();
  }

  /** An image does not tell why it failed; where pictures are not allowed, asking again is no use. */
  async again() {
    const answer = await fetch("/api/v1/snapshot.jpg", { method: "HEAD" }).catch(() => null);
    this.forbidden = answer?.status === 403;
    this.say();
    if (!this.forbidden) setTimeout(() => this.decide(), AGAIN_MS);
  }

  update(status) {
    this.status = status;
    this.say();
  }

  /** What stands over the picture: why there is none, or why it is old. */
  say() {
    const status = this.status;
    if (!status) return;
    const lost = status.camera.state === "lost" || (status.frame?.age_s ?? 0) > 3;
    this.screen.toggleAttribute("data-stale", lost);
    const text = this.words(status, lost);
    if ($("over").textContent !== text) $("over").textContent = text;
    this.sayStep(status.view);
    if (status.frame) this.screen.style.aspectRatio = `${status.frame.width} / ${status.frame.height}`;
  }

  /** How the view is made now, and why not better. */
  sayStep(view) {
    const place = $("view-step");
    place.hidden = !view;
    if (!view) return;
    const why = view.reason ? `: ${REASONS[view.reason]}` : "";
    const text = `view ${view.fps.toFixed(view.fps % 1 ? 1 : 0)} fps, ${view.width} px${why}`;
    if (place.textContent !== text) place.textContent = text;
  }

  words(status, lost) {
    if (lost || !status.frame || status.camera.state === "ended") {
      return status.matter ?? status.state.sentence;
    }
    if (this.forbidden) return "Your token is for figures, not for pictures";
    if (this.refused && status.preview.viewers >= status.preview.max_viewers) {
      return `${status.preview.viewers} watch already, which is the limit. Trying again.`;
    }
    return this.image.hidden ? "Waiting for a picture" : "";
  }
}
