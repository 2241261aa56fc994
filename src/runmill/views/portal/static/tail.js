/** @file The log list: filters without a reload, and new lines at the end while the reader is there. */

import { dropOldest, tidyDays } from "./days.js";
import { startHistogram } from "./histogram.js";
import { follow, unfollow } from "./live.js";
import { startPaging } from "./paging.js";
import { readAnswer, replacePieces } from "./pieces.js";

const KEPT_LINES = 5000;
const TYPING_MS = 250;
const NEAR_END_PX = 8;

/** @type {AbortController | null} */
let asking = null;
let unseen = 0;
let following = true;
/** @type {HTMLDetailsElement | null} the line whose fields the reader opened last: while they are open the list stays */
let opened = null;

/** @template {HTMLElement} T @param {string} id @returns {T | null} */
const find = (id) => /** @type {T | null} */ (document.getElementById(id));

/** Take over the log list of the page, if it has one. */
export function startTail() {
  if (!find("log")) return;
  startFilters();
  startList();
  startPaging({ older: () => setFollowing(false, false), newest: goLive });
  startHistogram((since, until) => set({ since, until, at: "" }));
  document.addEventListener("live:logs", (event) => append(/** @type {CustomEvent} */ (event).detail));
  document.addEventListener("live:dropped", (event) => sayDropped(/** @type {CustomEvent} */ (event).detail.count));
  document.addEventListener("moment:pin", (event) => {
    set({ at: /** @type {CustomEvent} */ (event).detail ?? "" });
    comeIntoView();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && find("moment") && !document.querySelector("dialog[open]")) set({ at: "" });
  });
  find("chip")?.addEventListener("click", () => setFollowing(true));
  document.addEventListener("click", onClick);
  addEventListener("popstate", () => location.reload());
  following = followBox()?.checked ?? false;
  showPlace();
}

function startFilters() {
  const form = /** @type {HTMLFormElement} */ (find("filters"));
  let typing = 0;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    filter();
  });
  form.addEventListener("change", (event) => {
    if (/** @type {Element} */ (event.target).matches("select")) filter();
  });
  form.addEventListener("input", (event) => {
    if (!(/** @type {Element} */ (event.target).matches("[type=search]"))) return;
    clearTimeout(typing);
    typing = setTimeout(filter, TYPING_MS);
  });
  followBox()?.addEventListener("change", () => setFollowing(followBox()?.checked ?? false));
  form.querySelector("[data-wrap]")?.addEventListener("change", (event) => {
    find("log")?.classList.toggle("wrap", /** @type {HTMLInputElement} */ (event.target).checked);
  });
  form.querySelector("[data-aloud]")?.addEventListener("change", (event) => {
    // Off until it is asked for: a busy log would talk over everything else.
    find("lines")?.setAttribute("aria-live", /** @type {HTMLInputElement} */ (event.target).checked ? "polite" : "off");
  });
}

/** The list scrolls: away from the end it stops following, back at the end it goes on. */
function startList() {
  const log = find("log");
  log?.addEventListener("scroll", () => {
    if (log.classList.contains("looked")) return; // a chart moved it, not the reader
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
    if (atEnd && opened?.open && opened.isConnected) return;
    if (atEnd !== following && log.dataset.tail) setFollowing(atEnd, false);
  });
  log?.addEventListener("toggle", onToggle, { capture: true });
  // A window, or a header, that changes its height takes lines from the end of the list.
  if (log) new ResizeObserver(() => following && !log.classList.contains("looked") && toEnd()).observe(log);
}

/**
 * Fields that open below the edge of the list come into view, and new lines do not push them out of it.
 * @param {Event} event
 */
function onToggle(event) {
  const line = event.target;
  if (!(line instanceof HTMLDetailsElement) || !line.open) return;
  opened = line;
  setFollowing(false, false);
  line.scrollIntoView({ block: "nearest" });
}

/** @returns {HTMLInputElement | null} */
function followBox() {
  return document.querySelector("[data-follow]");
}

/**
 * @param {boolean} wanted
 * @param {boolean} [move] whether to go to the end, too
 */
function setFollowing(wanted, move = true) {
  following = wanted;
  const box = followBox();
  if (box) box.checked = wanted;
  if (wanted) {
    unseen = 0;
    showChip();
    if (move) toEnd();
  }
}

function toEnd() {
  const log = find("log");
  if (log) log.scrollTop = log.scrollHeight;
}

/** Go to the moment that was asked for, else to the end where that is the newest. */
function showPlace() {
  const [log, moment] = [find("log"), find("moment")];
  const linked = location.hash.startsWith("#line-") ? find(location.hash.slice(1)) : null;
  if (linked) showLinked(linked);
  else if (following) toEnd();
  else if (log && moment) log.scrollTop += moment.getBoundingClientRect().top - log.getBoundingClientRect().top - log.clientHeight / 3;
}

/** The line that the address names is open, and in the middle. @param {HTMLElement} line */
function showLinked(line) {
  line.querySelector("details")?.setAttribute("open", "");
  line.scrollIntoView({ block: "center" });
}

/** On a narrow screen the log is below the curves: who chose a point of one wants to see its lines. */
function comeIntoView() {
  const log = find("log");
  if (log && log.getBoundingClientRect().top > innerHeight) log.scrollIntoView({ block: "center" });
}

function showChip() {
  const chip = find("chip");
  if (!chip) return;
  chip.hidden = unseen === 0;
  chip.textContent = `${unseen.toLocaleString("en")} new line${unseen === 1 ? "" : "s"} ↓`;
}

/** @param {{html: string, count: number, last: number}} news */
function append(news) {
  const list = find("lines");
  const log = find("log");
  if (!list || !log) return;
  find("nolines")?.remove();
  list.insertAdjacentHTML("beforeend", news.html);
  log.dataset.after = String(Math.max(news.last, Number(log.dataset.after ?? 0)));
  if (following && !log.classList.contains("looked")) {
    dropOldest(list, KEPT_LINES);
    toEnd();
  } else {
    tidyDays(list);
  }
  if (!following) {
    unseen += news.count;
    showChip();
  }
}

/** @param {number} count */
function sayDropped(count) {
  const line = document.createElement("li");
  line.className = "line warn more";
  line.textContent = `Too fast for this page: ${count.toLocaleString("en")} lines are not shown. Load the page again to see them.`;
  find("lines")?.append(line);
}

/**
 * Set filters and read the lines that fit; the way back leads to what was there before.
 * @param {Record<string, string | number>} values
 */
function set(values) {
  const form = /** @type {HTMLFormElement} */ (find("filters"));
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements.namedItem(name);
    if (!(field instanceof HTMLInputElement || field instanceof HTMLSelectElement)) continue;
    field.value = String(value);
    if (field instanceof HTMLInputElement && field.type === "hidden") field.disabled = value === "";
  }
  history.pushState(null, "", location.href);
  filter();
}

/** Ask for the lines that fit the form, and make them the page's address. */
async function filter() {
  const form = /** @type {HTMLFormElement} */ (find("filters"));
  // What stands there of the charts stays.
  const wanted = new URLSearchParams(location.search);
  for (const field of form.elements) if ("name" in field) wanted.delete(String(field.name));
  for (const name of ["before", "after"]) wanted.delete(name);
  for (const [key, value] of new FormData(form)) if (value) wanted.set(key, String(value));
  const query = wanted.toString();
  const address = query ? `${form.action}?${query}` : form.action;
  asking?.abort();
  asking = new AbortController();
  try {
    const { page, isFine } = await readAnswer(address, asking.signal);
    if (!isFine) return showProblem(page);
    history.replaceState(null, "", address);
    showList(page);
  } catch (error) {
    if (error instanceof DOMException) return;
    const empty = document.createElement("div");
    empty.className = "empty";
    empty.textContent = String(error instanceof Error ? error.message : error);
    find("lines")?.replaceChildren(empty);
  }
}

/** @param {Document} page */
function showList(page) {
  const newer = page.getElementById("log");
  const older = find("log");
  if (!newer || !older) return;
  replacePieces(page, ["chips", "histogram"]);
  const aloud = find("lines")?.getAttribute("aria-live") ?? "off";
  older.replaceChildren(...newer.childNodes);
  find("lines")?.setAttribute("aria-live", aloud);
  older.classList.remove("looked");
  unseen = 0;
  showChip();
  delete older.dataset.tail;
  unfollow();
  if (newer.dataset.tail) goLive(newer);
  setFollowing(Boolean(newer.dataset.tail) && !find("moment"), false);
  showPlace();
  document.dispatchEvent(new Event("moment:shown"));
}

/**
 * The list ends at the newest line now: what is committed from here on comes by itself.
 * @param {HTMLElement} newest the log of the page that said so
 */
function goLive(newest) {
  const log = find("log");
  if (!log || !newest.dataset.tail) return;
  log.dataset.tail = newest.dataset.tail;
  log.dataset.after = newest.dataset.after ?? "0";
  follow(newest.dataset.tail, log);
}

/** @returns {string} the query as it stands */
function searched() {
  return /** @type {HTMLInputElement} */ (/** @type {HTMLFormElement} */ (find("filters")).elements.namedItem("q")).value.trim();
}

/**
 * In the place of the lines what is wrong with what was asked for, its query marked.
 * @param {Document} page
 */
function showProblem(page) {
  find("lines")?.replaceChildren(...(page.querySelector(".problem")?.querySelectorAll(".mistake, .words") ?? []));
}

/** @param {MouseEvent} event */
function onClick(event) {
  const target = event.target instanceof Element ? event.target : null;
  const only = target?.closest("[data-filter]");
  const term = target?.closest("[data-term]");
  const clear = target?.closest("[data-clear]");
  const bar = target?.closest(".slices a");
  if (only) set({ [only.getAttribute("data-filter") ?? ""]: only.getAttribute("data-value") ?? "" });
  else if (term) set({ q: `${searched()} ${term.getAttribute("data-term")}`.trim() });
  else if (clear) set(Object.fromEntries((clear.getAttribute("data-clear") ?? "").split(" ").map((name) => [name, ""])));
  else if (bar) set(Object.fromEntries(["since", "until", "at"].map((name) => [name, new URL(bar.getAttribute("href") ?? "", location.href).searchParams.get(name) ?? ""])));
  else return;
  event.preventDefault();
}
