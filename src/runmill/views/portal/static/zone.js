/** @file The reader's time zone: pages are told in it once the server knows. */

const YEAR_SECONDS = 31_536_000;

/** Say it to the server; a page that was made for another clock is read again. */
export function startZone() {
  const root = document.documentElement;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || root.dataset.zone === zone) return;
  document.cookie = `zone=${zone}; path=${root.dataset.base || "/"}; max-age=${YEAR_SECONDS}; samesite=lax`;
  const isOther = Number(root.dataset.zoneMinutes) !== -new Date().getTimezoneOffset();
  // Once: a server without that zone, or a reader without cookies, keeps the server's clock.
  if (!isOther || sessionStorage.getItem("zone") === zone) return;
  sessionStorage.setItem("zone", zone);
  location.reload();
}

/**
 * @param {number} milliseconds since the epoch
 * @returns {string} date and time on the reader's clock, as Plotly takes them: it knows no zones
 */
export function onClock(milliseconds) {
  const offset = new Date(milliseconds).getTimezoneOffset() * 60_000;
  return new Date(milliseconds - offset).toISOString().slice(0, -1);
}
