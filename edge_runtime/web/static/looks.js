// Where the detector looked, drawn over the live view. Each viewer chooses for himself; the picture
// all viewers share stays as it is.

import { $ } from "./element.js";

const KEPT_MS = 1500; // the newest looks stay for so long, for the status comes a few times a second
const SVG = "http://www.w3.org/2000/svg";

export class Looks {
  constructor() {
    this.drawing = $("looks");
    this.choice = $("show-looks");
    this.seenAt = 0;
    this.drawn = "";
    this.choice.addEventListener("change", () => this.drawing.toggleAttribute("hidden", !this.choice.checked));
  }

  /** The windows of the last frame that was looked at. */
  update(frame) {
    const looks = frame?.looks ?? [];
    const now = Date.now();
    if (looks.length) this.seenAt = now;
    else if (now - this.seenAt < KEPT_MS) return;
    const drawn = JSON.stringify([frame?.width, frame?.height, looks]);
    if (drawn === this.drawn) return;
    this.drawn = drawn;
    if (frame) this.drawing.setAttribute("viewBox", `0 0 ${frame.width} ${frame.height}`);
    this.drawing.replaceChildren(...looks.map(outline));
  }
}

function outline({ window: [x, y, width, height], reason }) {
  const made = document.createElementNS(SVG, "rect");
  Object.entries({ x, y, width, height }).forEach(([name, value]) => made.setAttribute(name, value));
  made.setAttribute("class", reason);
  return made;
}
