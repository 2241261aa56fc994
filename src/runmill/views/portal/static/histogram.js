/** @file The bars above a log: a drag, or a bar, chooses a part of the time; the arrow keys walk the bars. */

const CLICK_PX = 4;

/** @type {{slices: HTMLElement, from: number} | null} */
let dragging = null;

/**
 * Take over the bars of the page, also those that come later.
 * @param {(since: number, until: number) => void} choose nanoseconds
 */
export function startHistogram(choose) {
  document.addEventListener("pointerdown", (event) => {
    const slices = event.target instanceof Element ? /** @type {HTMLElement | null} */ (event.target.closest(".slices")) : null;
    if (!slices || event.button !== 0) return;
    event.preventDefault(); // or the browser drags the link
    dragging = { slices, from: event.clientX };
  });
  document.addEventListener("pointermove", (event) => dragging && draw(dragging, event.clientX));
  document.addEventListener("pointerup", (event) => {
    if (!dragging) return;
    const { slices, from } = dragging;
    dragging = null;
    if (Math.abs(event.clientX - from) < CLICK_PX) return; // the bar is a link
    document.addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => document.removeEventListener("click", swallow, { capture: true }));
    const [since, until] = [from, event.clientX].map((x) => timeAt(slices, x)).sort((one, other) => one - other);
    choose(since, until);
  });
  document.addEventListener("keydown", walk);
}

/** @param {Event} event */
function swallow(event) {
  event.preventDefault();
  event.stopPropagation();
}

/**
 * @param {HTMLElement} slices
 * @param {number} x
 */
function timeAt(slices, x) {
  const box = slices.getBoundingClientRect();
  const share = Math.min(Math.max((x - box.left) / box.width, 0), 1);
  const [start, end] = [Number(slices.dataset.start), Number(slices.dataset.end)];
  return Math.round(start + share * (end - start));
}

/**
 * @param {{slices: HTMLElement, from: number}} drag
 * @param {number} x
 */
function draw({ slices, from }, x) {
  const box = slices.getBoundingClientRect();
  let brush = /** @type {HTMLElement | null} */ (slices.querySelector(".brush"));
  if (!brush) {
    brush = document.createElement("i");
    brush.className = "brush";
    slices.append(brush);
  }
  const [left, right] = [from, Math.min(Math.max(x, box.left), box.right)].sort((one, other) => one - other);
  brush.style.left = `${left - box.left}px`;
  brush.style.width = `${right - left}px`;
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const bar = document.activeElement?.closest(".slices a");
  const step = { ArrowRight: "nextElementSibling", ArrowLeft: "previousElementSibling" }[event.key];
  if (!bar || !step) return;
  event.preventDefault();
  const next = /** @type {any} */ (bar)[step];
  if (next instanceof SVGAElement) next.focus();
}
