import { Choice } from "./cameras.js";
import { Sparkline } from "./chart.js";
import { startDoctor } from "./doctor.js";
import { $, element, fill, show, showFigure } from "./element.js";
import { Events } from "./events.js";
import { follow } from "./feed.js";
import { History } from "./history.js";
import { showLatency } from "./latency.js";
import { Looks } from "./looks.js";
import { refreshModels, startModels } from "./models.js";
import { Numbers } from "./numbers.js";
import { startSession } from "./session.js";
import { View } from "./view.js";
import * as words from "./words.js";

const STATES = { opening: "being opened", streaming: "pictures come", lost: "lost, trying again", ended: "at its end" };

const view = new View();
const looks = new Looks();
const numbers = new Numbers();
const history = new History();
const events = new Events();
const sparks = {
  fps: new Sparkline($("spark-fps"), 4),
  latency: new Sparkline($("spark-latency"), 1),
  temperature: new Sparkline($("spark-temperature"), 4),
  power: new Sparkline($("spark-power"), 1),
};
const choice = new Choice(chosen);
let newest = null;
let spoken = "";
let listed = "";
let heardAt = null;

function showState(state) {
  $("state").dataset.level = state.level;
  if ($("sentence").textContent !== state.sentence) $("sentence").textContent = state.sentence;
  $("advice").textContent = state.advice ?? "";
  $("advice").hidden = !state.advice;
  $("others").replaceChildren(...state.others.map(finding));
  document.title = `${state.level === "fine" ? "" : "! "}${state.sentence} · edge-runtime`;
  speak(state);
}

function finding({ level, sentence, advice }) {
  const row = element("li", "", element("span", "dot"), advice ? `${sentence}. ${advice}` : sentence);
  row.dataset.level = level;
  return row;
}

/** Read out what changed in kind: a sentence with new numbers three times a second is noise. */
function speak(state) {
  const kind = state.level + state.sentence.split(/[:\d]/)[0];
  if (kind === spoken) return;
  spoken = kind;
  $("spoken").textContent = state.sentence;
}

function showRates(rates, camera) {
  showFigure("processed", words.fixed(rates?.processed_fps, 1), "fps");
  const [into, lost] = [rates?.captured_fps, rates?.dropped_fps].map((v) => words.fixed(v, 1));
  show("flow", `in ${into ?? "unknown"}, dropped ${lost ?? "unknown"}`);
  show("captured-total", words.count(rates?.captured));
  show("processed-total", words.count(rates?.processed));
  show("dropped-total", words.count(rates?.dropped));
  show("skipped-total", words.count(rates?.skipped));
  show("face-total", words.count(rates?.frames_with_face));
  show("inferences", words.count(rates?.inferences));
  show("reopened", ["never", "once"][camera.reopened] ?? `${camera.reopened} times`);
}

function showMachine(machine) {
  show("board", machine?.board ?? "");
  showFigure("temperature", words.fixed(machine?.temperature_c, 1), "°C");
  const limit = machine?.temperature_limit_c ?? null;
  show("limit", limit === null ? "limit unknown" : `slows down at ${limit.toFixed(0)} °C`);
  showPower(machine);
  show("memory", words.memory(machine?.memory_mb));
  show("peak", words.memory(machine?.peak_memory_mb));
  show("available", words.memory(machine?.memory_available_mb));
  show("cpu", words.withUnit(machine?.cpu_percent, 0, "% of a core"));
  show("system-cpu", words.withUnit(machine?.system_cpu_percent, 0, "%"));
  show("energy", words.energy(machine?.energy_per_frame_mj));
  show("alarms", words.alarms(machine?.throttling, ""));
  show("alarms-boot", words.alarms(machine?.throttling, "_since_boot"));
  show("uptime", words.duration(machine?.uptime_s));
}

/** What is done less, and why: not a fault, so it never is the headline. */
function showGovernor({ level, reasons }) {
  show("governor", level === 0 ? "nothing is given up" : `level ${level}: does less`);
  $("given-up").replaceChildren(...reasons.map((sentence) => finding({ level: "less", sentence })));
  $("given-up").dataset.level = level;
}

function showPower(machine) {
  const power = machine?.power ?? null;
  showFigure("power", words.fixed(power?.watts, 2), power ? `W ± ${power.plus_minus.toFixed(1)}` : "");
  const perFrame = words.energy(machine?.energy_per_frame_mj);
  const scope = { soc: "processor only", board: "whole board", wall: "at the plug" };
  show(
    "power-sub",
    power
      ? `${power.source}, ${scope[power.scope]}${perFrame ? `; ${perFrame} a frame` : ""}`
      : "no meter and no model of this board",
  );
}

function showCamera(camera, frame, preview) {
  show("camera", camera.description);
  show("camera-state", STATES[camera.state]);
  const [width, height] = [frame?.width ?? camera.width, frame?.height ?? camera.height];
  $("size").hidden = !width;
  $("size").textContent = `${width} × ${height}`;
  $("privacy").hidden = false;
  $("privacy").textContent = preview.pixelated ? "found faces are hidden" : "faces are visible";
}

function showFaces(frame) {
  const faces = frame?.faces ?? [];
  show("face-count", faces.length ? `${faces.length} in view` : "");
  fill($("faces"), faces.map(faceRow), "None in view");
}

function faceRow({ track, score, labels, person }) {
  const best = Object.values(labels).map((all) => Object.entries(all).sort((a, b) => b[1] - a[1])[0]);
  const [label, share] = best[0] ?? ["face", score];
  const fillBar = element("i", "");
  fillBar.style.transform = `scaleX(${share})`;
  const said = person && person.verdict !== "unsure" ? [person.name ?? "unknown"] : [];
  const names = [...said, ...best.map(([name]) => name)].join(", ") || label;
  return element(
    "li",
    "",
    element("b", "", `#${track}`),
    element("span", "", names),
    element("span", "", words.percent(share)),
    element("span", "track", fillBar),
  );
}

/** The list is asked for when there is news, and when frames begin: it is too long to stream. */
function showModels({ model_events, models }) {
  const news = `${model_events} ${models.map(({ sha256 }) => sha256)}`;
  if (news === listed) return;
  listed = news;
  refreshModels();
}

/** Another camera: its numbers have nothing to do with the other's. */
function chosen() {
  sparks.fps.clear();
  sparks.latency.clear();
  render(newest);
}

/** What is about cameras is told of the chosen one. */
function render(report) {
  heardAt = new Date();
  const status = { ...report, ...choice.update(report.cameras) };
  newest = status;
  const one = status.cameras.length > 1 ? status.name : null;
  view.look(one);
  history.look(one);
  showState(status.state);
  looks.update(status.frame);
  showRates(status.rates, status.camera);
  showLatency(status.latency_ms, status.rates);
  showMachine(status.machine);
  showGovernor(status.governor);
  showCamera(status.camera, status.frame, status.preview);
  showFaces(status.frame);
  showModels(status);
  show("models-now", status.models.map(({ name }) => name).join(", ") || "none yet");
  numbers.update(status);
  history.update(status.machine);
  events.update(status);
  show("version", `edge-runtime ${status.version}`);
  view.update(status);
}

function showLink(link) {
  const was = $("link").dataset.link;
  if (was === link) return;
  $("link").dataset.link = link;
  $("link").textContent = link;
  showOffline(link === "reconnecting");
  if (link === "live" && was === "reconnecting") {
    view.restart();
    refreshModels();
    history.refresh();
  }
}

/** Said in words, for grey numbers alone are easily taken for new ones. */
function showOffline(offline) {
  document.body.classList.toggle("offline", offline);
  $("offline").hidden = !offline;
  const since = heardAt ? `What you see is from ${heardAt.toLocaleTimeString()}. ` : "";
  const words = `The runtime does not answer. ${since}Asking again every few seconds. Is the board on, and in the same network?`;
  $("offline").textContent = offline ? words : "";
}

function sample() {
  const offline = $("link").dataset.link !== "live";
  const stopped = offline || newest?.camera.state !== "streaming";
  sparks.fps.add(offline ? null : newest?.rates?.processed_fps);
  sparks.latency.add(stopped ? null : newest?.latency_ms.frame?.p50);
  sparks.temperature.add(offline ? null : newest?.machine?.temperature_c);
  sparks.power.add(offline ? null : newest?.machine?.power?.watts);
}

startSession();
startModels();
startDoctor();
follow(render, showLink);
setInterval(sample, 1000);
