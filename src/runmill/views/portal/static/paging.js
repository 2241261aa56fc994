/** @file Older and newer lines join the list in place: the line under the reader's eye stays where it is. */

import { tidyDays } from "./days.js";
import { readPage } from "./pieces.js";

const NEAR_PX = 200;

let reading = false;

/** @typedef {{older: () => void, newest: (log: HTMLElement) => void}} Told what happened: older lines came; the newest page did */

/** @param {Told} told */
export function startPaging(told) {
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("#older, #newer") : null;
    if (!(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    load(link, told);
  });
  const log = document.getElementById("log");
  log?.addEventListener("wheel", () => loadNear(log, told), { passive: true });
  log?.addEventListener("keyup", () => loadNear(log, told));
}

/**
 * @param {HTMLElement} log
 * @param {Told} told
 */
function loadNear(log, told) {
  const below = log.scrollHeight - log.scrollTop - log.clientHeight;
  const link = document.getElementById(log.scrollTop < NEAR_PX ? "older" : below < NEAR_PX ? "newer" : "");
  if (link instanceof HTMLAnchorElement) load(link, told);
}

/**
 * @param {HTMLAnchorElement} link
 * @param {Told} told
 */
async function load(link, told) {
  if (reading) return;
  reading = true;
  try {
    const page = await readPage(link.href);
    if (link.isConnected) join(page, link, told);
  } catch {
    return; // the link stays: another try may do
  } finally {
    reading = false;
  }
}

/**
 * @param {Document} page
 * @param {HTMLAnchorElement} link
 * @param {Told} told
 */
function join(page, link, told) {
  const log = document.getElementById("log");
  const list = document.getElementById("lines");
  const [newLog, newLines] = [page.getElementById("log"), page.getElementById("lines")];
  if (!log || !list || !newLog || !newLines) return;
  const next = page.getElementById(link.id);
  const below = log.scrollHeight - log.scrollTop;
  const isOlder = link.id === "older";
  if (isOlder) told.older();
  list[isOlder ? "prepend" : "append"](...newLines.children);
  tidyDays(list);
  if (next) link.replaceWith(next);
  else link.remove();
  if (isOlder) log.scrollTop = log.scrollHeight - below;
  else if (!next) told.newest(newLog);
}
