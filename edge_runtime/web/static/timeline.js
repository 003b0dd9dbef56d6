// One figure over the last hour or day: the mean as a line, from lowest to highest as a band.

import { element } from "./element.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 60;
const known = (value) => value !== null && value !== undefined;

export class Timeline {
  /** `figures`: names in the history, the first with a band. `floor`: the least height of the scale. */
  constructor({ title, unit, digits, figures, floor, limit }) {
    Object.assign(this, { title, unit, digits, figures, floor, limit });
    this.sub = element("span", "sub");
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("preserveAspectRatio", "none");
    this.band = this.path("band");
    this.limitLine = this.path("limit");
    this.lines = figures.map((_, i) => this.path(`line line${i}`));
    this.top = element("span", "scale top-mark");
    this.bottom = element("span", "scale");
    const plot = element("div", "plot", this.svg, this.top, this.bottom);
    this.heading = element("h3", "", title);
    this.place = element("div", "timeline", this.heading, this.sub, plot);
  }

  /** What it shows now: everything's, or one camera's. */
  name(words) {
    this.heading.textContent = words;
  }

  path(name) {
    const made = this.svg.appendChild(document.createElementNS(SVG, "path"));
    made.setAttribute("class", name);
    return made;
  }

  /** `all`: its figures. `first`: the step where the picture begins. `limit`: a line to keep below, or null. */
  draw(all, first, limit, span) {
    const means = all.map((each) => each.mean.slice(first));
    const [low, high] = [all[0].low.slice(first), all[0].high.slice(first)];
    const seen = [...means.flat(), ...low, ...high].filter(known);
    this.say(seen, means[0], span);
    const drawn = limit === null ? seen : [...seen, limit];
    const least = Math.min(...drawn);
    const spread = Math.max(Math.max(...drawn) - least, this.floor);
    const y = (value) => (HEIGHT - 3 - ((value - least) / spread) * (HEIGHT - 6)).toFixed(1);
    this.svg.setAttribute("viewBox", `0 0 ${Math.max(means[0].length - 1, 1)} ${HEIGHT}`);
    this.lines.forEach((line, i) => line.setAttribute("d", runs(means[i] ?? []).map((run) => trace(run, y)).join("")));
    this.band.setAttribute("d", runs(high).map((run) => area(run, low, y)).join(""));
    this.limitLine.setAttribute("d", limit === null ? "" : `M0 ${y(limit)}H${means[0].length}`);
    this.top.textContent = seen.length ? this.number(least + spread) : "";
    this.bottom.textContent = seen.length ? this.number(least) : "";
  }

  say(seen, mean, span) {
    const last = mean.findLast(known);
    const words = seen.length
      ? `${this.number(Math.min(...seen))} to ${this.number(Math.max(...seen))} ${this.unit}, last ${this.number(last ?? seen.at(-1))}`
      : "nothing known";
    this.sub.textContent = words;
    this.place.toggleAttribute("data-unknown", !seen.length); // an empty frame tells nothing
    this.svg.setAttribute("aria-label", `${this.heading.textContent}, ${span}: ${words}`);
  }

  number(value) {
    return value.toFixed(this.digits);
  }
}

/** Stretches without a gap, each as [step, value] pairs. */
function runs(values) {
  const found = [];
  values.forEach((value, i) => {
    if (!known(value)) return;
    const open = found.at(-1);
    if (open && open.at(-1)[0] === i - 1) open.push([i, value]);
    else found.push([[i, value]]);
  });
  return found;
}

function trace(run, y) {
  const points = run.length > 1 ? run : [run[0], [run[0][0] + 0.5, run[0][1]]]; // a lone step shows too
  return points.map(([x, value], i) => `${i ? "L" : "M"}${x} ${y(value)}`).join("");
}

const area = (run, low, y) =>
  `${trace(run, y)}${[...run].reverse().map(([x]) => `L${x} ${y(low[x])}`).join("")}Z`;
