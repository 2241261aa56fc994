/**
 * @file The log's side of a moment: lines of the point under the pointer are lit, a line under the pointer is marked on
 * the charts, and a chosen point brings the lines around it.
 */

import { mark } from "./moment.js";

const RETURN_MS = 200;

/** @type {{top: number} | null} where the list was before a look moved it */
let before = null;
let returning = 0;
/** @type {Element[]} */
let lit = [];
let wanted = 0;

/** Take over the log list of the page, if it has one. */
export function startLogMoment() {
  const list = document.getElementById("lines");
  if (!list || !document.querySelector(".chart[data-run]")) return;
  list.addEventListener("pointerover", (event) => markSoon(timeOf(event.target)));
  list.addEventListener("pointerleave", () => markSoon(null));
  list.addEventListener("focusin", (event) => markSoon(timeOf(event.target)));
  list.addEventListener("focusout", () => markSoon(null));
  document.addEventListener("moment:look", (event) => lookAt(/** @type {CustomEvent} */ (event).detail));
  document.addEventListener("moment:shown", forget);
}

/** @param {EventTarget | null} target */
function timeOf(target) {
  const line = target instanceof Element ? target.closest("[data-time]") : null;
  return line ? Number(line.getAttribute("data-time")) : null;
}

/**
 * Once a frame, however fast the pointer is.
 * @param {number | null} time
 */
function markSoon(time) {
  cancelAnimationFrame(wanted);
  wanted = requestAnimationFrame(() => mark(time));
}

/**
 * Not back at once: on its way from one point to the next the pointer is on none.
 * @param {import("./moment.js").Span | null} span
 */
function lookAt(span) {
  clearTimeout(returning);
  if (span) show(span);
  else returning = setTimeout(goBack, RETURN_MS);
}

/**
 * Light the lines of *span* and bring them into view.
 * @param {import("./moment.js").Span} span
 */
function show(span) {
  const log = document.getElementById("log");
  if (!log) return;
  dim();
  const lines = [...document.querySelectorAll("#lines > .line")];
  const first = lines.findIndex((line) => Number(line.getAttribute("data-time")) >= span.from);
  lit = first < 0 ? [] : lines.slice(first).filter((line) => Number(line.getAttribute("data-time")) < span.to);
  for (const line of lit) line.classList.add("lit");
  if (!lit.length) lines[first]?.classList.add("next");
  // Before the first line of the page there may be others; after the last there are none while it is live.
  const isElsewhere = (first === 0 && !lit.length && document.getElementById("older")) || (first < 0 && document.getElementById("newer"));
  sayElsewhere(isElsewhere ? span.from : null);
  const nearest = lines[first] ?? lines.at(-1);
  if (isElsewhere || !nearest) return;
  before ??= { top: log.scrollTop };
  log.classList.add("looked");
  centre(log, nearest);
}

/** Put the list back where the reader had it: at the end, if it follows. */
function goBack() {
  const log = document.getElementById("log");
  const follows = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-follow]"))?.checked;
  if (log && before) log.scrollTop = follows ? log.scrollHeight : before.top;
  forget();
}

function forget() {
  clearTimeout(returning);
  dim();
  sayElsewhere(null);
  before = null;
  document.getElementById("log")?.classList.remove("looked");
}

function dim() {
  for (const line of lit) line.classList.remove("lit");
  document.querySelector(".line.next")?.classList.remove("next");
  lit = [];
}

/**
 * Only the list scrolls, never the page, and only when the line is out of its sight.
 * @param {HTMLElement} log
 * @param {Element} line
 */
function centre(log, line) {
  const box = log.getBoundingClientRect();
  const at = line.getBoundingClientRect();
  if (at.top >= box.top + 20 && at.bottom <= box.bottom - 20) return;
  log.scrollTop += at.top - box.top - log.clientHeight / 3;
}

/** @param {number | null} time of lines that are not on the page */
function sayElsewhere(time) {
  const hint = document.getElementById("elsewhere");
  if (!hint) return;
  hint.hidden = time === null;
  if (time !== null) hint.textContent = `Click for the lines at ${new Date(time / 1e6).toTimeString().slice(0, 8)}`;
}
