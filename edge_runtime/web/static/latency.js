// Where the time of a frame goes: a stacked bar for each percentile, and the frame interval's mark.

import { $, element, show, showFigure } from "./element.js";
import { budgetMs } from "./judge.js";
import * as words from "./words.js";

const STAGES = {
  glance: "small picture, motion",
  detect: "find faces",
  track: "same face, same number",
  crop: "cut faces out",
  classify: "label them",
  recognize: "say whose they are",
};
const TOTALS = { frame: "Whole frame", age: "Camera to result" };
const PERCENTILES = ["p50", "p95", "p99"];

export function showLatency(latency, rates) {
  const whole = latency.frame;
  const budget = budgetMs(rates);
  showFigure("latency", words.milliseconds(whole?.p95), "ms");
  show("latency-sub", whole ? `95 of 100 frames; half need ${words.milliseconds(whole.p50)}` : "no frame yet");
  show("budget", whole && budget ? inWords(whole, budget) : "");
  const entries = Object.entries(latency);
  const stages = entries.filter(([name]) => !(name in TOTALS));
  if (!stages.length) return;
  showBars(stages, budget);
  const totals = entries.filter(([name]) => name in TOTALS);
  $("stages").replaceChildren(...stages.map(stageRow), ...totals.map(totalRow));
}

const inWords = ({ p50 }, budget) =>
  `${words.milliseconds(p50)} of ${words.milliseconds(budget)} ms between frames (${words.percent(p50 / budget)})`;

function showBars(stages, budget) {
  const sums = PERCENTILES.map((name) => stages.reduce((sum, [, each]) => sum + each[name], 0));
  const scale = Math.max(...sums, budget ?? 0) * 1.04 || 1;
  PERCENTILES.forEach((name, i) => showBar($(`bar-${name}`), stages, name, sums[i], scale));
  const mark = $("budget-line");
  mark.hidden = budget === null;
  if (budget !== null) mark.style.left = `${(100 * budget) / scale}%`;
}

function showBar(bar, stages, name, sum, scale) {
  while (bar.children.length > stages.length) bar.lastChild.remove();
  stages.forEach(([, percentiles], i) => {
    const part = bar.children[i] ?? bar.appendChild(element("i", `s${i % 6}`));
    part.style.width = `${(100 * percentiles[name]) / scale}%`;
  });
  const shares = stages.map(([stage, each]) => `${stage} ${words.milliseconds(each[name])} ms`);
  bar.setAttribute("aria-label", `${name}: ${shares.join(", ")}; ${words.milliseconds(sum)} ms in all`);
}

function stageRow([name, percentiles], i) {
  const head = element("th", "", element("span", `swatch s${i % 6}`), name);
  if (STAGES[name]) head.append(element("small", "", STAGES[name]));
  return row("", head, percentiles);
}

const totalRow = ([name, percentiles]) => row("total", element("th", "", TOTALS[name]), percentiles);

function row(className, head, percentiles) {
  head.scope = "row";
  const cells = PERCENTILES.map((name) => element("td", "", words.milliseconds(percentiles[name])));
  return element("tr", className, head, ...cells);
}
