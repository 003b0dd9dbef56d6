// A line over the last minutes, one point a second.

const POINTS = 180;
const FEWEST = 40; // a young history is stretched, but not to the whole width at once
const SVG = "http://www.w3.org/2000/svg";

export class Sparkline {
  /** `floor`: the least height of the scale, so that noise does not look like drama. */
  constructor(svg, floor) {
    this.floor = floor;
    this.values = [];
    this.svg = svg;
    svg.setAttribute("preserveAspectRatio", "none");
    this.area = svg.appendChild(document.createElementNS(SVG, "path"));
    this.line = svg.appendChild(document.createElementNS(SVG, "path"));
    this.area.setAttribute("class", "area");
    this.line.setAttribute("class", "line");
  }

  /** Forget everything: what comes next is about something else. */
  clear() {
    this.values = [];
  }

  /** Add this second's value; null leaves a gap. */
  add(value) {
    this.values.push(value ?? null);
    if (this.values.length > POINTS) this.values.shift();
    this.shown = Math.max(this.values.length, FEWEST);
    this.svg.setAttribute("viewBox", `0 0 ${this.shown - 1} 40`);
    const runs = this.runs();
    const path = (run) => run.map(([x, y], i) => `${i ? "L" : "M"}${x} ${y.toFixed(2)}`).join("");
    this.line.setAttribute("d", runs.map(path).join(""));
    this.area.setAttribute("d", runs.map((run) => `${path(run)}V40H${run[0][0]}Z`).join(""));
  }

  /** Stretches of points without a gap, in the picture's coordinates. */
  runs() {
    const known = this.values.filter((value) => value !== null);
    const low = Math.min(...known);
    const high = Math.max(...known);
    const spread = Math.max(high - low, this.floor);
    const bottom = (low + high - spread) / 2;
    const start = this.shown - this.values.length;
    const runs = [];
    let run = [];
    this.values.forEach((value, i) => {
      if (value === null) run = [];
      else {
        if (!run.length) runs.push(run);
        run.push([start + i, 32 - ((value - bottom) / spread) * 26]);
      }
    });
    return runs.filter((each) => each.length > 1);
  }
}
