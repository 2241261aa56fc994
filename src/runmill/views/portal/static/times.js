/** @file Relative times and running durations go on while the page is open. */

const EVERY_MS = 5000;

/** Start to keep them. */
export function startTimes() {
  setInterval(renew, EVERY_MS);
}

function renew() {
  if (document.hidden) return;
  const now = Date.now();
  for (const each of document.querySelectorAll("[data-ago]")) {
    const text = ago((now - Number(each.getAttribute("datetime")) / 1e6) / 1000);
    if (text !== null && each.textContent !== text) each.textContent = text;
  }
  for (const each of document.querySelectorAll("[data-since]")) {
    each.textContent = duration((now - Number(each.getAttribute("data-since")) / 1e6) / 1000);
  }
}

/**
 * @param {number} seconds
 * @returns {string | null} the server's words for it; null where they name a day and stay true
 */
function ago(seconds) {
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${Math.floor(seconds)} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ago`;
  return null;
}

/**
 * @param {number} seconds
 * @returns {string}
 */
function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)}m ${two(whole % 60)}s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)}h ${two(Math.floor((whole % 3600) / 60))}m`;
  return `${Math.floor(whole / 86400)}d ${two(Math.floor((whole % 86400) / 3600))}h`;
}
