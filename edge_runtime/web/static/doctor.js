// What `edge-runtime doctor` says. Only when asked: it starts programs, which costs a small board.

import { $, element, fill } from "./element.js";

const WORST_FIRST = ["act", "watch", "unknown", "fine"];

export function startDoctor() {
  $("examine").addEventListener("click", examine);
}

async function examine() {
  $("examine").disabled = true;
  $("doctor-answer").textContent = "Looking, this takes some seconds";
  const answer = await fetch("/api/v1/doctor").catch(() => null);
  $("examine").disabled = false;
  if (!answer?.ok) {
    const why = await answer?.json().catch(() => null);
    $("doctor-answer").textContent = why?.detail ?? "The runtime does not answer; try again when it does.";
    return;
  }
  show((await answer.json()).findings);
}

function show(findings) {
  const count = (state) => findings.filter((each) => each.state === state).length;
  $("doctor-answer").textContent =
    `${count("act")} to act on, ${count("watch")} to watch, ${count("fine")} fine, ${count("unknown")} unknown`;
  const sorted = [...findings].sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
  fill($("findings"), sorted.filter(({ state }) => state !== "fine").map(row), "Nothing stands in the way");
  fill($("findings-fine"), sorted.filter(({ state }) => state === "fine").map(row), "Nothing");
  $("fine-ones").hidden = false;
}

function row({ name, state, text, remedy }) {
  const words = element("div", "", element("b", "", name), " ", element("span", "badge", state), element("p", "", text));
  words.querySelector(".badge").dataset.level = state;
  if (remedy) words.append(element("p", "todo", `To do: ${remedy}`));
  const made = element("li", "", words);
  made.dataset.state = state;
  return made;
}
