// Elements without markup in strings: text stays text, wherever it came from.

export const $ = (id) => document.getElementById(id);

/** An element with a class and children, which are elements or text. */
export function element(tag, className, ...children) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

/** Put rows into a list, or the words for an empty one. */
export function fill(list, rows, none) {
  list.replaceChildren(...(rows.length ? rows : [element("li", "none", none)]));
}

/** Put text into every element that shows `name`. Null is unknown, never 0. */
export function show(name, text) {
  for (const place of document.querySelectorAll(`[data-show="${name}"]`)) {
    const known = text !== null && text !== undefined;
    const words = known ? text : "unknown";
    if (place.textContent !== words) place.textContent = words;
    place.classList.toggle("unknown", !known);
  }
}

/** A big number with its unit. */
export function showFigure(name, number, unit) {
  const place = document.querySelector(`[data-show="${name}"]`);
  if (number === null) {
    place.replaceChildren(element("span", "unknown", "unknown"));
    return;
  }
  place.replaceChildren(element("span", "value", number), " ", element("span", "unit", unit));
}
