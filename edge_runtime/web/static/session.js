// Who looks at the page, what he may do, and how he leaves.

import { $ } from "./element.js";
import { when } from "./words.js";

const ADDRESS = "/api/v1/session";
const tabs = new BroadcastChannel("session");

/** What he may not do is not offered. */
export async function startSession() {
  tabs.addEventListener("message", () => location.reload()); // another tab logged out
  $("log-out").addEventListener("click", leave);
  const answer = await fetch(ADDRESS).catch(() => null);
  if (!answer?.ok) return;
  const { asked, name, scope, expires_at } = await answer.json();
  document.body.dataset.scope = scope;
  $("session").hidden = !asked;
  const until = expires_at === null ? "" : `, until ${when(expires_at)}`;
  $("session-name").textContent = `${name} (${scope})`;
  $("session-name").title = `Your token is called ${name} and may ${may(scope)}${until}`;
}

const may = (scope) =>
  ({ stats: "see figures", view: "see figures and pictures", admin: "do everything" })[scope];

async function leave() {
  const answer = await fetch(ADDRESS, { method: "DELETE" }).catch(() => null);
  if (!answer?.ok) {
    $("log-out").textContent = "No answer: try again";
    return;
  }
  tabs.postMessage("left");
  location.assign("/login");
}
