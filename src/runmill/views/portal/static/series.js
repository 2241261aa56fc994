/** @file Series from the server, and what is computed of them before they are drawn. */

/**
 * @typedef {{x: number, minimum: number | null, maximum: number | null, last: number | null, count: number, non_finite: number, time_unix_nano: number}} Bucket
 * @typedef {{metric: string, column: string | null, x: "step" | "index" | "time", count: number, buckets: Bucket[]}} Series
 */

/**
 * @param {import("./chart.js").Line} line
 * @param {string} metric
 * @param {{x?: string, buckets: number, range?: [number, number]}} how
 * @returns {Promise<Series>}
 */
export async function fetchSeries({ run, rank, column }, metric, how) {
  const asked = new URLSearchParams({ metric, buckets: String(how.buckets) });
  if (column !== null) asked.set("column", column);
  if (rank !== undefined) asked.set("rank", rank);
  if (how.x) asked.set("x", how.x);
  if (how.range) {
    asked.set("x_min", String(how.range[0]));
    asked.set("x_max", String(how.range[1]));
  }
  const base = document.documentElement.dataset.base ?? "";
  const answer = await fetch(`${base}/api/v1/runs/${run}/series?${asked}`);
  const content = await answer.json();
  // A rank that logged none of it has an empty curve, not an error.
  if (answer.status === 404 && rank !== undefined) return { metric, column, x: "step", count: 0, buckets: [] };
  if (!answer.ok) throw new Error(content.error.message);
  return content;
}

/**
 * An exponential mean that starts without a bias to zero; a gap stays a gap.
 * @param {(number | null)[]} values
 * @param {number} weight of what came before, 0 to 1
 * @returns {(number | null)[]}
 */
export function smoothed(values, weight) {
  if (weight <= 0) return values;
  let mean = 0;
  let seen = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = mean * weight + (1 - weight) * value;
    seen += 1;
    return mean / (1 - weight ** seen);
  });
}
