// Numbers in words. Every function gives null for what is unknown.

const known = (value) => value !== null && value !== undefined;

export const fixed = (value, digits) => (known(value) ? value.toFixed(digits) : null);

export const withUnit = (value, digits, unit) =>
  known(value) ? `${value.toFixed(digits)} ${unit}` : null;

export const count = (value) => (known(value) ? value.toLocaleString("en-GB") : null);

export const percent = (share) => `${Math.round(share * 100)} %`;

/** Milliseconds with as many digits as matter. */
export const milliseconds = (value) =>
  known(value) ? value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0) : null;

export function memory(mib) {
  if (!known(mib)) return null;
  return mib < 1024 ? `${mib.toFixed(0)} MiB` : `${(mib / 1024).toFixed(1)} GiB`;
}

export function energy(millijoules) {
  if (!known(millijoules)) return null;
  return millijoules < 1000
    ? `${millijoules.toFixed(0)} mJ`
    : `${(millijoules / 1000).toFixed(2)} J`;
}

export function bytes(number) {
  if (number < 1024) return `${number} B`;
  return number < 1024 * 1024
    ? `${(number / 1024).toFixed(1)} KiB`
    : `${(number / 1048576).toFixed(1)} MiB`;
}

export function duration(seconds) {
  if (!known(seconds)) return null;
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  if (hours < 1) return `${minutes} min`;
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

const ALARMS = {
  under_voltage: "under-voltage",
  frequency_capped: "clock capped",
  throttled: "throttled",
  soft_temperature_limit: "soft heat limit",
};

/** Which alarms are on; `ending` picks now ("") or since boot. Null when no alarm can be read. */
export function alarms(throttling, ending) {
  const readable = Object.keys(ALARMS).filter((name) => known(throttling?.[name + ending]));
  if (!readable.length) return null;
  const on = readable.filter((name) => throttling[name + ending]);
  return on.length ? on.map((name) => ALARMS[name]).join(", ") : "none";
}

/** A time of day, with the date unless it is today; `seconds` since 1970. */
export function when(seconds) {
  const then = new Date(seconds * 1000);
  const today = then.toDateString() === new Date().toDateString();
  return today ? then.toLocaleTimeString() : then.toLocaleString();
}
