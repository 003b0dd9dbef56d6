// What happened lately, the newest on top. Asked for when the status tells of news, so that it
// needs no connection of its own: browsers open only six to one machine.

import { $, element, fill } from "./element.js";
import { when } from "./words.js";

const SHOWN = 50;
const AGAIN_MS = 4000;
const GROUPS = {
  faces: ["face_came", "face_stayed", "face_left"],
  labels: ["label_changed"],
  people: ["person_known", "person_turned", "person_unknown", "person_stayed_unknown", "person_left"],
  cameras: ["camera_lost", "camera_back", "camera_ended"],
  models: ["model_admitted", "model_activated", "model_canary", "model_rolled_back", "model_refused", "model_removed"],
  machine: ["under_voltage", "under_voltage_over", "throttled", "throttled_over", "governor_gave_up", "governor_gave_back"],
  rules: ["action_failed", "action_recovered"],
};
const LEVELS = {
  act: ["camera_lost", "under_voltage", "throttled", "action_failed"],
  watch: ["camera_ended", "model_refused", "model_rolled_back", "governor_gave_up"],
};

export class Events {
  constructor() {
    this.newest = null;
    this.again = 0;
    this.list = $("events");
    $("event-kinds").addEventListener("change", () => this.choose());
    this.choose();
  }

  get query() {
    const kinds = GROUPS[$("event-kinds").value] ?? [];
    return kinds.map((kind) => `kind=${kind}`).join("&");
  }

  choose() {
    const query = this.query && `?${this.query}`;
    $("events-jsonl").href = `/api/v1/events.jsonl${query}`;
    $("events-csv").href = `/api/v1/events.csv${query}`;
    this.refresh();
  }

  update({ newest_event: newest }) {
    if (newest === this.newest) return;
    this.newest = newest;
    this.refresh();
  }

  async refresh() {
    const query = this.query;
    const answer = await fetch(`/api/v1/events?limit=${SHOWN}&${query}`).catch(() => null);
    if (query !== this.query) return; // others were chosen meanwhile
    if (!answer?.ok) {
      clearTimeout(this.again);
      this.again = setTimeout(() => this.refresh(), AGAIN_MS);
      return;
    }
    const { events } = await answer.json();
    fill(this.list, events.reverse().map(row), "Nothing happened yet");
  }
}

function row({ time, kind, camera, sentence }) {
  const level = Object.keys(LEVELS).find((each) => LEVELS[each].includes(kind)) ?? "fine";
  const told = element("time", "", when(Date.parse(time) / 1000));
  told.dateTime = time;
  const words = element("span", "", camera ? `${sentence} (${camera})` : sentence);
  const made = element("li", "", element("span", "dot"), told, words);
  made.dataset.level = level;
  made.dataset.kind = kind;
  return made;
}
