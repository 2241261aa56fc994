/** @file Images of one name, one at a time under a slider; pages with several runs move them together. */

/** Take over the histories of the page. */
export function startFrames() {
  for (const slider of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(".frames input[type=range]"))) {
    slider.hidden = false;
    slider.closest(".frames")?.classList.add("sliding");
    slider.addEventListener("input", () => {
      show(slider);
      moveOthers(slider);
    });
    show(slider);
  }
}

/** @param {HTMLInputElement} slider */
function framesOf(slider) {
  // The newest is first, for readers without script.
  return /** @type {HTMLElement[]} */ ([...(slider.closest(".frames")?.querySelectorAll("li") ?? [])]).reverse();
}

/** @param {HTMLInputElement} slider */
function show(slider) {
  const frames = framesOf(slider);
  frames.forEach((frame, place) => { frame.hidden = place !== Number(slider.value); });
  const chosen = frames[Number(slider.value)];
  const said = slider.closest(".frames")?.querySelector("output");
  if (said) said.textContent = chosen?.querySelector("span")?.textContent ?? "";
  slider.setAttribute("aria-valuetext", said?.textContent ?? "");
}

/**
 * Of the same name in other runs: the last image up to the same step.
 * @param {HTMLInputElement} moved
 */
function moveOthers(moved) {
  const figure = /** @type {HTMLElement | null} */ (moved.closest(".frames"));
  const place = Number(framesOf(moved)[Number(moved.value)]?.dataset.place);
  for (const slider of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll(".frames input[type=range]"))) {
    const other = /** @type {HTMLElement | null} */ (slider.closest(".frames"));
    if (slider === moved || other?.dataset.frames !== figure?.dataset.frames) continue;
    const last = framesOf(slider).findLastIndex((frame) => Number(frame.dataset.place) <= place);
    slider.value = String(Math.max(last, 0));
    show(slider);
  }
}
