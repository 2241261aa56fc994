/** @file The log list: filters without a reload, older lines in place, new lines at the end while the reader is there. */

import { follow, unfollow } from "./live.js";
import { readPage } from "./pieces.js";

const KEPT_LINES = 5000;
const TYPING_MS = 250;
const NEAR_END_PX = 8;

/** @type {AbortController | null} */
let asking = null;
let unseen = 0;
let following = true;

/** @template {HTMLElement} T @param {string} id @returns {T | null} */
const find = (id) => /** @type {T | null} */ (document.getElementById(id));

/** Take over the log list of the page, if it has one. */
export function startTail() {
  if (!find("log")) return;
  startFilters();
  startList();
  document.addEventListener("live:logs", (event) => append(/** @type {CustomEvent} */ (event).detail));
  document.addEventListener("live:dropped", (event) => sayDropped(/** @type {CustomEvent} */ (event).detail.count));
  find("chip")?.addEventListener("click", () => setFollowing(true));
  document.addEventListener("click", onClick);
  addEventListener("popstate", () => location.reload());
  following = followBox()?.checked ?? false;
  if (following) toEnd();
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
}

/** The list scrolls: away from the end it stops following, back at the end it goes on. */
function startList() {
  const log = find("log");
  log?.addEventListener("scroll", () => {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END_PX;
    if (atEnd !== following && log.dataset.tail) setFollowing(atEnd, false);
  });
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
  if (following) {
    while (list.children.length > KEPT_LINES) list.firstElementChild?.remove();
    toEnd();
  } else {
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

/** Ask for the lines that fit the form, and make them the page's address. */
async function filter() {
  const form = /** @type {HTMLFormElement} */ (find("filters"));
  const wanted = new URLSearchParams();
  for (const [key, value] of new FormData(form)) if (value) wanted.set(key, String(value));
  const query = wanted.toString();
  const address = query ? `${form.action}?${query}` : form.action;
  asking?.abort();
  asking = new AbortController();
  try {
    const page = await readPage(address, asking.signal);
    history.replaceState(null, "", address);
    showList(page);
  } catch (error) {
    if (!(error instanceof DOMException)) showError(String(error instanceof Error ? error.message : error));
  }
}

/** @param {Document} page */
function showList(page) {
  const newer = page.getElementById("log");
  const older = find("log");
  if (!newer || !older) return;
  older.replaceChildren(...newer.childNodes);
  older.dataset.after = newer.dataset.after ?? "0";
  const tail = newer.dataset.tail;
  unseen = 0;
  showChip();
  if (tail) {
    older.dataset.tail = tail;
    follow(tail, older);
  } else {
    unfollow();
  }
  setFollowing(Boolean(tail));
}

/** @param {string} text */
function showError(text) {
  const empty = document.createElement("div");
  empty.className = "empty";
  empty.textContent = text;
  find("lines")?.replaceChildren();
  find("lines")?.append(empty);
}

/** @param {MouseEvent} event */
function onClick(event) {
  const target = event.target instanceof Element ? event.target : null;
  const only = target?.closest("[data-filter]");
  const field = only && document.querySelector(`#filters [name="${only.getAttribute("data-filter")}"]`);
  if (field instanceof HTMLInputElement || field instanceof HTMLSelectElement) {
    event.preventDefault();
    field.value = only?.getAttribute("data-value") ?? "";
    filter();
    return;
  }
  const older = target?.closest("#older");
  if (older instanceof HTMLAnchorElement) {
    event.preventDefault();
    loadOlder(older);
  }
}

/**
 * Put older lines above, and leave the line under the reader's eye where it is.
 * @param {HTMLAnchorElement} link
 */
async function loadOlder(link) {
  const page = await readPage(link.href);
  const log = find("log");
  const list = find("lines");
  const lines = page.getElementById("lines");
  if (!log || !list || !lines) return;
  const below = log.scrollHeight - log.scrollTop;
  list.prepend(...lines.children);
  const next = page.getElementById("older");
  if (next) link.replaceWith(next);
  else link.remove();
  log.scrollTop = log.scrollHeight - below;
}
