/** @file Documents of one name, one at a time under a slider: the server says how each looks. */

import { readPage } from "./pieces.js";

/** What of a document's figure is another with each; the rest stays, so that what the reader chose of it does. */
const PIECES = [".last", ".heat", ".numbers", "pre.document", ".steps output"];

/** @type {Map<Element, string>} the figures that are being read, and what is wanted of them */
const wanted = new Map();

/** Listen to the sliders of the page, also those that come later. */
export function startSteps() {
  adoptSteps();
  document.addEventListener("input", (event) => {
    const slider = event.target instanceof HTMLInputElement ? event.target : null;
    const steps = /** @type {HTMLElement | null} */ (slider?.closest("[data-steps]") ?? null);
    if (!slider || !steps) return;
    // Who looks at an older one keeps it when a newer one is logged.
    steps.toggleAttribute("data-held", slider.value !== slider.max);
    ask(/** @type {HTMLElement} */ (steps.closest("[id]")), `${steps.dataset.steps}${slider.value}`);
  });
}

/** Show the sliders that are new on the page. */
export function adoptSteps() {
  for (const slider of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-steps] input"))) slider.hidden = false;
}

/**
 * Keep the documents that are held where they are, with a slider as long as the newer one.
 * @param {Element} older
 * @param {Document} newer
 */
export function keepHeld(older, newer) {
  for (const steps of older.querySelectorAll("[data-held]")) {
    const figure = /** @type {HTMLElement} */ (steps.closest("[id]"));
    const copy = newer.getElementById(figure.id);
    const [mine, its] = [steps.querySelector("input"), copy?.querySelector("input[type=range]")];
    if (!copy || !mine || !(its instanceof HTMLInputElement)) continue;
    mine.max = its.max;
    copy.replaceWith(figure);
  }
}

/**
 * One at a time, and of those asked for meanwhile the last.
 * @param {HTMLElement} figure
 * @param {string} address
 */
async function ask(figure, address) {
  const isReading = wanted.has(figure);
  wanted.set(figure, address);
  if (isReading) return;
  for (let read = ""; read !== wanted.get(figure);) {
    read = wanted.get(figure) ?? "";
    const page = await readPage(read).catch(() => null); // the server is away: what is shown stays
    const newer = page?.getElementById(figure.id);
    if (newer) show(figure, newer);
  }
  wanted.delete(figure);
}

/** @param {HTMLElement} figure @param {HTMLElement} newer */
function show(figure, newer) {
  for (const selector of PIECES) {
    const [mine, its] = [figure.querySelector(selector), newer.querySelector(selector)];
    if (mine instanceof HTMLDetailsElement) its?.toggleAttribute("open", mine.open);
    if (mine && its) mine.replaceWith(its);
  }
  figure.querySelector("[data-steps] input")?.setAttribute("aria-valuetext", figure.querySelector("output")?.textContent ?? "");
  if (!newer.dataset.figure) return;
  figure.dataset.figure = newer.dataset.figure;
  figure.dispatchEvent(new Event("figurechange"));
}
