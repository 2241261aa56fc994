/** @file What a chart is drawn over: steps, times, another metric, or a column of its own rows. */

import { onClock } from "./zone.js";

const UNITS = /** @type {const} */ ([["h", 3600, 3], ["min", 60, 3], ["s", 1, 0]]);

/**
 * @typedef {object} Over
 * @property {Record<string, string>} asked of the server
 * @property {string | null} column of the chart's own that is x, and no line then
 * @property {string} name of the axis where numbers of a metric are x
 * @property {boolean} isElapsed whether times count from the run's start
 */

/**
 * @param {string} chosen by the reader: empty, index, time, elapsed, metric:NAME or column:NAME
 * @param {{metric: string, columns: (string | null)[], xColumn: string | null, isPairs: boolean, isCompared: boolean}} chart
 * @returns {Over} where the choice is none for this chart, what it is usually drawn over
 */
export function overOf(chosen, { metric, columns, xColumn, isPairs, isCompared }) {
  // Runs that are compared began at different times: on one axis they count from there, until the reader wants clocks.
  const isElapsed = chosen === "elapsed" || (isCompared && chosen !== "time");
  const plain = { asked: {}, column: null, name: "", isElapsed };
  if (isPairs) return { ...plain, asked: { x: "index" } };
  const [kind, name] = [chosen.slice(0, 6), chosen.slice(7)];
  if (kind === "metric" && name !== metric) return { ...plain, asked: { x_metric: name }, name };
  if (kind === "column" && (columns.includes(name) || xColumn === name)) return ofColumn(plain, name);
  if (chosen === "index") return { ...plain, asked: { x: "index" } };
  if (chosen === "time" || chosen === "elapsed") return { ...plain, asked: { x: "time" } };
  return xColumn ? ofColumn(plain, xColumn) : plain;
}

/** @param {Over} plain @param {string} column @returns {Over} */
function ofColumn(plain, column) {
  return { ...plain, asked: { x_column: column }, column, name: column };
}

export class Axis {
  /**
   * @param {Over} over
   * @param {import("./series.js").Series[]} series
   * @param {number[]} starts of the runs, in nanoseconds, a series each
   */
  constructor(over, series, starts) {
    this.over = over;
    this.starts = starts;
    this.isTime = series.some(({ x }) => x === "time");
    this.isElapsed = this.isTime && over.isElapsed;
    this.isCounted = series.every(({ x }) => x === "step" || x === "index");
    const longest = Math.max(0, ...series.map(({ buckets }, place) => ((buckets.at(-1)?.x ?? starts[place]) - starts[place]) / 1e9));
    [this.unit, this.seconds] = UNITS.find(([, seconds, least]) => longest >= seconds * least) ?? UNITS[2];
    /** Charts of one kind share a pointer by x, others by the time. */
    this.kind = this.isTime ? (this.isElapsed ? `elapsed ${this.unit}` : "time") : over.name || (series[0]?.x ?? "");
  }

  /** @returns {"date" | "linear"} */
  get type() {
    return this.isTime && !this.isElapsed ? "date" : "linear";
  }

  get title() {
    return this.isElapsed ? `${this.unit} since the start` : this.over.name;
  }

  /**
   * @param {number} x as the server has it
   * @param {number} place of the series
   * @returns {number | string} as it is drawn
   */
  drawn(x, place) {
    if (!this.isTime) return x;
    return this.isElapsed ? (x - this.starts[place]) / 1e9 / this.seconds : onClock(x / 1e6);
  }

  /**
   * @param {number | string} x as it is drawn
   * @param {number} place of the series
   * @returns {number} as the server has it
   */
  stored(x, place) {
    if (!this.isTime) return Number(x);
    return this.isElapsed ? Number(x) * this.seconds * 1e9 + this.starts[place] : new Date(String(x).replace(" ", "T")).getTime() * 1e6;
  }
}
