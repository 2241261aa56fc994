/**
 * @file The stream of a run: what the server says is passed on as events of the document
 * (`live:logs`, `live:points`, `live:dropped`); the run's own header and files are renewed here.
 */

import { readPage, replacePieces } from "./pieces.js";

const LISTENED = ["logs", "points", "run", "files", "dropped"];
const RENEW_MS = 1000;

/** @type {EventSource | null} */
let source = null;
let renewing = false;

/** Follow the run of this page, or the log of it. */
export function startLive() {
  const log = document.getElementById("log");
  const header = document.getElementById("run-header");
  const base = document.documentElement.dataset.base ?? "";
  const address = log ? log.dataset.tail : header && `${base}/runs/${header.dataset.run}/tail?level=24`;
  if (address) follow(address, log);
  document.addEventListener("live:run", renewSoon);
  document.addEventListener("live:files", renewSoon);
  addEventListener("pagehide", () => source?.close());
}

/**
 * Open the stream of the log as it is filtered now, after the newest line the page has.
 * @param {string} address
 * @param {HTMLElement | null} log
 */
export function follow(address, log) {
  source?.close();
  const asked = new URL(address, location.href);
  for (const [key, value] of new URLSearchParams(location.search)) {
    if (log && value && key !== "before" && key !== "after") asked.searchParams.set(key, value);
  }
  if (log?.dataset.after) asked.searchParams.set("after", log.dataset.after);
  source = new EventSource(asked);
  source.addEventListener("open", () => notice(""));
  source.addEventListener("error", lost);
  for (const name of LISTENED) {
    source.addEventListener(name, (event) => {
      document.dispatchEvent(new CustomEvent(`live:${name}`, { detail: JSON.parse(/** @type {MessageEvent} */ (event).data) }));
    });
  }
}

/** End the stream: the page shows lines that do not end at the newest. */
export function unfollow() {
  source?.close();
  source = null;
}

function lost() {
  const element = document.getElementById("notice");
  if (element?.hidden) {
    notice(`The server has not answered since ${new Date().toLocaleTimeString()}. This page stays as it is and catches up when it is back.`);
  }
}

/** @param {string} text */
function notice(text) {
  const element = document.getElementById("notice");
  if (!element) return;
  element.textContent = text;
  element.hidden = !text;
}

/** At most once a second, however much happens. */
function renewSoon() {
  if (renewing) return;
  renewing = true;
  setTimeout(async () => {
    renewing = false;
    try {
      replacePieces(await readPage(location.pathname), ["run-header", "files"]);
    } catch {
      return; // the stream says when the server is away
    }
  }, RENEW_MS);
}
