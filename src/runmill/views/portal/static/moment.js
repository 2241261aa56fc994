/**
 * @file One moment for the charts and the log, the reader's eye being on one of them at a time.
 *
 * Events of the document: `moment:look` (detail: {from, to} in nanoseconds, or null) from a chart under the pointer,
 * `moment:mark` (detail: a time, or null) from a log line under it, `moment:pin` (detail: a time, or null) when a point
 * was chosen. What is pinned stands in the address as `at`.
 */

/** @typedef {{from: number, to: number}} Span nanoseconds since the epoch; `to` is exclusive */

/** @param {Span | null} span */
export const look = (span) => tell("moment:look", span);

/** @param {number | null} time */
export const mark = (time) => tell("moment:mark", time);

/** @param {number | null} time */
export const pin = (time) => tell("moment:pin", time);

/** @returns {number | null} the moment that the address names */
export function pinned() {
  const at = document.getElementById("moment")?.dataset.time;
  return at ? Number(at) : null;
}

/** @param {string} name @param {unknown} detail */
function tell(name, detail) {
  document.dispatchEvent(new CustomEvent(name, { detail }));
}

/**
 * What a chart shows at a time: the bucket that had begun by then.
 * @param {{x: number, time_unix_nano: number}[]} buckets by ascending x
 * @param {number} time
 * @returns {number} its place; -1 before the first
 */
export function placeAt(buckets, time) {
  let found = -1;
  // Not by halving: several ranks, or a resumed run, let times go back while steps go on.
  for (let place = 0; place < buckets.length; place += 1) {
    const begun = buckets[place].time_unix_nano;
    if (begun <= time && (found < 0 || begun >= buckets[found].time_unix_nano)) found = place;
  }
  return found;
}

/**
 * The time that the bucket at *place* stands for: up to the beginning of the next.
 * @param {{time_unix_nano: number}[]} buckets
 * @param {number} place
 * @returns {Span}
 */
export function spanOf(buckets, place) {
  const from = buckets[place].time_unix_nano;
  const next = buckets.slice(place + 1).find(({ time_unix_nano }) => time_unix_nano > from);
  const before = buckets[place - 1]?.time_unix_nano ?? from;
  return { from, to: next ? next.time_unix_nano : from + Math.max(1e9, from - before) };
}
