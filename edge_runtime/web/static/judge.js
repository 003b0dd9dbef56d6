// Is a number fine, to watch, or does it need somebody? Pure: the status in, verdicts out. Where
// the lines are drawn comes with the status (`limits`, the camera's own pace, the board's alarms),
// and nothing here is worse than the headline: the runtime draws that at the same lines.

const FINE = { level: "fine", advice: null };
const UNKNOWN = { level: "unknown", advice: null };
const watch = (advice) => ({ level: "watch", advice });
const act = (advice) => ({ level: "act", advice });

const unknown = (value) => value === null || value === undefined;

/** The supply made for a board, by the board's own name. */
export function supplyFor(board) {
  if (/Pi 5|Compute Module 5/.test(board ?? "")) return "27 W";
  return /Pi 4|Pi 400/.test(board ?? "") ? "15 W" : null;
}

/** Milliseconds between two pictures of the camera; null when it is not known. */
export const budgetMs = (rates) => (rates?.captured_fps ? 1000 / rates.captured_fps : null);

export function judgeRate({ camera, rates, limits }) {
  if (camera.state === "lost") return act("No pictures come: see the camera.");
  if (unknown(rates?.processed_fps)) return UNKNOWN;
  if (camera.live && rates.dropped_fps > limits.most_dropped * rates.captured_fps) {
    return watch("Many pictures are dropped: ask the camera for fewer a second, or use fewer models.");
  }
  return FINE;
}

export function judgeLatency({ camera, rates, latency_ms: latency, limits }) {
  const budget = budgetMs(rates);
  if (!latency.frame || budget === null) return UNKNOWN;
  if (camera.live && latency.frame.p50 * (1 - limits.most_dropped) > budget) {
    return watch("Most pictures come while another is still looked at: ask the camera for fewer a second, or use fewer models.");
  }
  return FINE;
}

export function judgeHeat({ machine, limits }) {
  const heat = machine?.temperature_c;
  if (unknown(heat)) return UNKNOWN;
  if (machine.throttling?.throttled || heat >= (machine.temperature_limit_c ?? Infinity)) {
    return act("It slows itself down: use a heat sink or a fan, and leave air around the case.");
  }
  if (heat >= (limits.hot_c ?? Infinity)) return watch("Close to its limit: give it more air, a heat sink or a fan.");
  return FINE;
}

export function judgePower({ machine }) {
  const supply = supplyFor(machine?.board);
  if (machine?.throttling?.under_voltage) {
    return act(`Under-voltage: use the ${supply ? `${supply} supply` : "supply made for this board"}, and a short cable.`);
  }
  return unknown(machine?.power) ? UNKNOWN : FINE;
}

export function judgeAlarms({ machine }) {
  const alarms = machine?.throttling;
  if (!alarms || Object.values(alarms).every(unknown)) return UNKNOWN;
  if (alarms.under_voltage) return judgePower({ machine });
  if (alarms.throttled) return act("Cool it: a heat sink or a fan, and air around the case.");
  if (alarms.frequency_capped || alarms.soft_temperature_limit) {
    return watch("Check the power supply and the cooling.");
  }
  return FINE;
}

export function judgeMemory({ machine, limits }) {
  const left = machine?.memory_available_mb;
  if (unknown(left)) return UNKNOWN;
  return left < limits.low_memory_mb ? watch("Stop other programs, or use fewer models or a smaller picture.") : FINE;
}

export function judgeCamera({ camera, frame, limits }) {
  if (camera.state === "lost") return act(camera.problem ?? "Check its cable; it is opened again by itself.");
  if (camera.state === "ended") return camera.problem ? act(camera.problem) : watch("The file is at its end.");
  if (!frame) return watch("The first picture has not come yet.");
  return frame.age_s > limits.stale_s ? act("It is open but delivers nothing: check its cable.") : FINE;
}

export const judgeModels = ({ models }) => (models.length ? FINE : watch("No model has run yet."));

const whether = (value) => (unknown(value) ? UNKNOWN : FINE);

/** A verdict for every number of the page: `{level, advice}`; level `unknown` where nobody knows. */
export function judge(status) {
  return {
    processed: judgeRate(status),
    latency: judgeLatency(status),
    stages: judgeLatency(status),
    temperature: judgeHeat(status),
    power: judgePower(status),
    camera: judgeCamera(status),
    models: judgeModels(status),
    governor: FINE, // doing less in time is its work; why it does stands at the top of the page
    memory: whether(status.machine?.memory_mb),
    available: judgeMemory(status),
    cpu: whether(status.machine?.cpu_percent),
    "system-cpu": whether(status.machine?.system_cpu_percent), // busy is no harm: what suffers says so
    energy: whether(status.machine?.energy_per_frame_mj),
    alarms: judgeAlarms(status),
    uptime: whether(status.machine?.uptime_s),
  };
}
