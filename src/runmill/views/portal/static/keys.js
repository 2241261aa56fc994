/** @file The keyboard: `/` searches, `j` and `k` walk the log, `f` follows it, `c` copies a line, `?` says so. */

import { textOf, write } from "./copy.js";

/** Listen; nothing happens while the reader types. */
export function startKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const act = KEYS[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
}

/** @type {Record<string, () => void>} */
const KEYS = {
  "/": () => focusOn(document.querySelector("#filters input[type=search]") ?? document.querySelector("[data-key='/']")),
  j: () => walk(1),
  k: () => walk(-1),
  f: () => /** @type {HTMLElement | null} */ (document.querySelector("[data-follow]"))?.click(),
  c: () => {
    const line = document.activeElement?.closest(".line");
    if (line) write(textOf(line));
  },
  "?": () => /** @type {HTMLDialogElement | null} */ (document.querySelector("#help"))?.showModal(),
};

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof HTMLElement && (target.matches("input:not([type=checkbox]), textarea, select") || target.isContentEditable);
}

/** @param {Element | null} element */
function focusOn(element) {
  if (element instanceof HTMLInputElement) {
    element.focus();
    element.select();
  }
}

/** @param {1 | -1} step */
function walk(step) {
  const summaries = [...document.querySelectorAll("#lines summary")];
  if (!summaries.length) return;
  const here = document.activeElement ? summaries.indexOf(document.activeElement) : -1;
  const next = here < 0 ? (step > 0 ? 0 : summaries.length - 1) : Math.min(Math.max(here + step, 0), summaries.length - 1);
  const chosen = /** @type {HTMLElement} */ (summaries[here < 0 ? summaries.length - 1 : next]);
  chosen.focus({ preventScroll: true });
  chosen.scrollIntoView({ block: "nearest" });
}
