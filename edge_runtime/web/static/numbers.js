// Each number's name is a button that tells what it means; beside it stands whether it is fine.

import { element } from "./element.js";
import { judge } from "./judge.js";
import { MEANINGS } from "./meanings.js";

/** Advice stands below the number, which must not be pushed out of sight. */
function place(title, meaning, advice) {
  if (title.tagName === "DT") return title.parentElement.append(meaning, advice);
  (title.closest(".head") ?? title).after(meaning);
  (title.parentElement.querySelector(":scope > .sub") ?? meaning).after(advice);
}

export class Numbers {
  constructor() {
    this.places = new Map();
    for (const title of document.querySelectorAll("[data-about]")) this.equip(title);
  }

  equip(title) {
    const name = title.dataset.about;
    const tag = title.tagName === "DT" ? "dd" : "p"; // a list of terms holds nothing else
    const meaning = element(tag, "meaning", MEANINGS[name]);
    meaning.id = `about-${name}`;
    meaning.hidden = true;
    const button = element("button", "about", title.textContent);
    button.type = "button";
    button.setAttribute("aria-controls", meaning.id);
    button.setAttribute("aria-expanded", "false");
    button.addEventListener("click", () => {
      meaning.hidden = !meaning.hidden;
      button.setAttribute("aria-expanded", String(!meaning.hidden));
    });
    const badge = element("span", "badge", "unknown");
    const advice = element(tag, "todo");
    advice.hidden = true;
    title.replaceChildren(button, badge);
    place(title, meaning, advice);
    this.places.set(name, { badge, advice, shown: "" });
  }

  update(status) {
    for (const [name, { level, advice }] of Object.entries(judge(status))) {
      const place = this.places.get(name);
      const shown = `${level} ${advice}`;
      if (!place || place.shown === shown) continue;
      place.shown = shown;
      place.badge.dataset.level = level;
      place.badge.textContent = level;
      place.advice.textContent = advice ?? "";
      place.advice.dataset.level = level;
      place.advice.hidden = !advice;
    }
  }
}
