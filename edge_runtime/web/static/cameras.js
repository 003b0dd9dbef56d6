// The choice of a camera, where there are several. One live view at a time: each costs the runtime
// work, and browsers open only six connections to one machine.

import { $, element } from "./element.js";
import * as words from "./words.js";

export class Choice {
  /** `onChoice` is called when somebody chose another camera. */
  constructor(onChoice) {
    this.place = $("cameras");
    this.figures = new Map();
    this.name = null;
    this.place.addEventListener("change", (event) => {
      this.name = event.target.value;
      onChoice();
    });
  }

  /** Show every camera's figures; gives the chosen one's part of the status. */
  update(cameras) {
    const names = cameras.map(({ name }) => name);
    if (!names.includes(this.name)) this.name = names[0];
    this.place.hidden = names.length < 2;
    if (String([...this.figures.keys()]) !== String(names)) this.list(names);
    cameras.forEach((camera) => this.describe(camera));
    return cameras.find(({ name }) => name === this.name);
  }

  list(names) {
    this.figures = new Map(names.map((name) => [name, element("span", "sub")]));
    this.place.querySelectorAll("label").forEach((label) => label.remove());
    this.place.append(...names.map((name) => this.row(name)));
  }

  row(name) {
    const button = element("input", "");
    Object.assign(button, { type: "radio", name: "camera", value: name });
    button.checked = name === this.name;
    button.setAttribute("aria-label", name); // the figures change too often to be read out
    return element("label", "card", button, element("b", "", name), this.figures.get(name));
  }

  describe({ name, matter, frame, rates, latency_ms: latency }) {
    const place = this.figures.get(name);
    const faces = frame?.faces.length ?? 0;
    const known = [
      words.withUnit(rates?.processed_fps, 1, "fps"),
      words.withUnit(latency.frame?.p95, 1, "ms"),
      faces === 1 ? "1 face" : `${faces} faces`,
    ];
    const text = matter ?? known.filter((each) => each !== null).join(", ");
    if (place.textContent !== text) place.textContent = text;
    place.parentElement.toggleAttribute("data-matter", matter !== null);
  }
}
