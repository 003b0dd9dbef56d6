// The models there are: take one in, choose which one is active, go back, remove.

import { $, element, fill } from "./element.js";
import * as words from "./words.js";

const EVENTS_SHOWN = 4;

let largest = Infinity;

export function startModels() {
  $("model-file").addEventListener("change", ({ target }) => {
    if (target.files.length) upload(target.files[0]);
    target.value = "";
  });
  const allowed = () => !["stats", "view"].includes(document.body.dataset.scope);
  const holdsFile = (event) => allowed() && event.dataTransfer?.types.includes("Files");
  const mark = (on) => $("drop").classList.toggle("over-it", on);
  document.addEventListener("dragover", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    mark(true);
  });
  document.addEventListener("dragleave", (event) => event.relatedTarget || mark(false));
  document.addEventListener("drop", (event) => {
    if (!holdsFile(event)) return;
    event.preventDefault();
    mark(false);
    if (event.dataTransfer.files.length) upload(event.dataTransfer.files[0]);
  });
}

export async function refreshModels() {
  const answer = await fetch("/api/v1/models").catch(() => null);
  if (!answer?.ok) return;
  const { models, comparison, events, largest_bytes } = await answer.json();
  largest = largest_bytes;
  const focused = document.activeElement?.dataset.act;
  const tried = (model) => comparison?.candidate === `${model.name}/${model.version}`;
  fill($("models"), models.map((model) => row(model, tried(model))), "None yet");
  // The rows are new: who uses the keyboard stays where he was.
  if (focused) $("models").querySelector(`[data-act="${CSS.escape(focused)}"]`)?.focus();
  const lately = events.slice(-EVENTS_SHOWN).reverse().map(({ at, sentence }) => line(at, sentence));
  if (comparison) lately.unshift(element("li", "", `${comparison.candidate}: ${comparison.reason}`));
  fill($("model-events"), lately, "Nothing yet");
}

const line = (at, sentence) => element("li", "", element("time", "", words.when(at)), " ", sentence);

/** `tried`: it runs beside the active one on live crops, which decide. */
function row(model, tried) {
  const { name, version, role, state, problem } = model;
  const title = element("b", "", `${name} ${version}`);
  if (role || tried) title.append(" ", element("span", "tag", tried ? "canary" : state));
  const text = element("div", "", title, element("span", "", facts(model)));
  if (problem) text.append(element("span", "problem", problem));
  return element("li", "", text, buttons(model));
}

function facts({ kind, bytes, measured, quality, origin, role, state, active_since }) {
  return [
    kind ?? "cannot be read",
    bytes === null ? null : words.bytes(bytes),
    measured ? `${words.milliseconds(measured.median_ms)} ms here` : untried(origin),
    measured?.accuracy != null && `right on ${words.percent(measured.accuracy)} of its examples here`,
    quality && `${quality.measure} ${quality.value.toFixed(2)} on ${quality.data}`,
    role && `as ${role}`,
    active_since && `since ${words.when(active_since)}`,
    state === "before" && "was active before",
  ]
    .filter(Boolean)
    .join(", ");
}

/** Kinds that have a role in the loop; those of known faces are chosen in the settings. */
const PLAYS = new Set(["face-detector", "object-detector", "crop-classifier"]);

/** What comes with the program is not tried before it is trusted; it is measured when asked. */
const untried = (origin) => (origin === "shelf" ? "not tried here" : "not measured here (edge-runtime tune)");

function buttons({ name, version, origin, kind, role, state, problem }) {
  const own = `/api/v1/models/${encodeURIComponent(name)}`;
  const made = [];
  if (state !== "active" && !problem && PLAYS.has(kind)) {
    made.push(button("Activate", name, version, () => change("POST", `${own}/activate`, { version })));
  }
  if (state === "active" && origin === "shelf") {
    made.push(button("Roll back", name, version, () => change("POST", `/api/v1/models/${role}/rollback`)));
  }
  if (state !== "active" && origin === "shelf") {
    made.push(
      button("Remove", name, version, () => {
        if (confirm(`Remove ${name} ${version}?`)) change("DELETE", `${own}/versions/${version}`);
      }),
    );
  }
  return element("div", "acts for-admins", ...made);
}

function button(word, name, version, act) {
  const made = element("button", "", word);
  made.type = "button";
  made.dataset.act = `${word} ${name} ${version}`;
  made.setAttribute("aria-label", made.dataset.act);
  made.addEventListener("click", act);
  return made;
}

function upload(file) {
  if (file.size > largest) {
    tell(`${file.name} is larger than ${words.bytes(largest)}, which is allowed.`, "act");
    return;
  }
  tell(`${file.name} is sent and tried`, "");
  ask(`/api/v1/models?name=${encodeURIComponent(file.name)}`, { method: "POST", body: file });
}

function change(method, address, choice) {
  tell("One moment", "");
  const body = choice && JSON.stringify(choice);
  ask(address, { method, body, headers: body ? { "content-type": "application/json" } : {} });
}

async function ask(address, request) {
  try {
    const answer = await fetch(address, request);
    const { detail, manifest } = await answer.json();
    tell(detail, answer.ok ? "fine" : "act", manifest);
  } catch {
    tell("The runtime did not answer. Try again.", "act");
  }
  refreshModels();
}

function tell(sentence, level, form) {
  const place = $("model-answer");
  place.dataset.level = level;
  place.replaceChildren(sentence);
  if (form) place.append(" Put the model into a zip with this manifest.json, filled in where it says ?:");
  $("model-form").hidden = !form;
  $("model-form").textContent = form ?? "";
}
