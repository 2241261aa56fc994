/** @file Series from the server, and what is computed of them before they are drawn. */

import { ask } from "./pieces.js";

/**
 * @typedef {{x: number, minimum: number | null, maximum: number | null, last: number | null, count: number, non_finite: number, time_unix_nano: number}} Bucket
 * @typedef {{metric: string, column: string | null, x: "step" | "index" | "time" | "metric", count: number, buckets: Bucket[]}} Series
 */

/**
 * @param {import("./chart.js").Line} line
 * @param {string} metric
 * @param {{over: Record<string, string>, buckets: number, range?: [number, number]}} how `over`: what x is
 * @returns {Promise<Series>}
 */
export async function fetchSeries({ run, rank, column }, metric, how) {
  const asked = new URLSearchParams({ metric, buckets: String(how.buckets), ...how.over });
  if (column !== null) asked.set("column", column);
  if (rank !== undefined) asked.set("rank", rank);
  if (how.range) {
    asked.set("x_min", String(how.range[0]));
    asked.set("x_max", String(how.range[1]));
  }
  const base = document.documentElement.dataset.base ?? "";
  const answer = await ask(`${base}/api/v1/runs/${run}/series?${asked}`);
  const content = await answer.json();
  // A rank that logged none of it, or a run without the metric it is drawn over, has an empty curve: no error.
  if (answer.status === 404 && (rank !== undefined || how.over.x_metric)) return { metric, column, x: how.over.x_metric ? "metric" : "step", count: 0, buckets: [] };
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
