/** @file One chart: asks for as many points as it has pixels, draws, zooms into finer ones. */

import { CONFIG, layout, plotly, traces } from "./plotting.js";
import { fetchSeries, smoothed } from "./series.js";

const MARKED_POINTS = 40;

/** @typedef {{x: string, log: boolean, smooth: number}} Settings */

export class Chart {
  /**
   * @param {HTMLElement} figure
   * @param {() => Settings} settings
   */
  constructor(figure, settings) {
    this.figure = figure;
    this.settings = settings;
    this.plot = /** @type {any} */ (figure.querySelector(".plot"));
    this.metric = figure.dataset.metric ?? "";
    this.seen = false;
    this.stale = true;
    this.reading = false;
    /** @type {import("./series.js").Series[]} */
    this.series = [];
    /** @type {[number, number] | null} */
    this.range = null;
  }

  /** Read the series anew and draw; while that goes on, one more wish for it is remembered. */
  async renew() {
    this.stale = true;
    if (!this.seen || this.reading) return;
    this.reading = true;
    try {
      while (this.stale) {
        this.stale = false;
        this.series = await this.read();
        await this.draw();
      }
    } catch (error) {
      this.say(error instanceof Error ? error.message : String(error));
    } finally {
      this.reading = false;
    }
  }

  read() {
    const columns = /** @type {(string | null)[]} */ (JSON.parse(this.figure.dataset.columns ?? "[null]"));
    const how = { x: this.figure.dataset.kind === "xy" ? "index" : this.settings().x, buckets: Math.max(100, this.plot.clientWidth), range: this.range ?? undefined };
    return Promise.all(columns.map((column) => fetchSeries(this.figure.dataset.run ?? "", this.metric, column, how)));
  }

  /** Draw what was read last, as the settings want it now. */
  async draw() {
    if (!this.series.length) return;
    const Plotly = await plotly();
    const { drawn, xType, xTitle } = this.figure.dataset.kind === "xy" ? this.pairs() : this.lines();
    const shape = layout({ xType, xTitle, log: this.settings().log });
    Object.assign(shape.xaxis, this.range ? { range: this.range, autorange: false } : { autorange: true });
    await Plotly.react(this.plot, drawn, shape, CONFIG);
    if (!this.plot.classList.contains("drawn")) this.listen();
    this.plot.classList.add("drawn");
    this.sayNonFinite();
  }

  lines() {
    const { smooth } = this.settings();
    const isTime = this.series[0].x === "time";
    const drawn = this.series.flatMap(({ buckets, column }, place) => traces({
      x: buckets.map(({ x }) => (isTime ? new Date(x / 1e6).toISOString() : x)),
      y: smoothed(buckets.map(({ last }) => last), smooth),
      low: buckets.map(({ minimum }) => minimum),
      high: buckets.map(({ maximum }) => maximum),
      name: column ?? this.metric,
      place,
      banded: buckets.some(({ count }) => count > 1),
      marked: buckets.length <= MARKED_POINTS,
    }));
    return { drawn, xType: /** @type {"linear" | "date"} */ (isTime ? "date" : "linear"), xTitle: "" };
  }

  /** Two columns: the first is the x of the second. */
  pairs() {
    const [across, up] = this.series;
    const xs = new Map(across.buckets.map(({ x, last }) => [x, last]));
    const pairs = up.buckets.filter(({ x }) => xs.get(x) != null);
    const y = pairs.map(({ last }) => last);
    const x = pairs.map((bucket) => /** @type {number} */ (xs.get(bucket.x)));
    const drawn = traces({ x, y, low: y, high: y, name: up.column ?? "", place: 0, banded: false, marked: pairs.length <= MARKED_POINTS });
    return { drawn, xType: /** @type {const} */ ("linear"), xTitle: across.column ?? "" };
  }

  listen() {
    this.plot.on("plotly_relayout", (/** @type {Record<string, unknown>} */ change) => {
      if (this.figure.dataset.kind === "xy" || this.series[0].x === "time") return;
      if ("xaxis.range[0]" in change) this.zoom([Number(change["xaxis.range[0]"]), Number(change["xaxis.range[1]"])]);
      else if (this.range && ("xaxis.autorange" in change || "xaxis.range" in change)) this.zoom(null);
    });
    this.plot.on("plotly_hover", (/** @type {any} */ event) => {
      if (event.event) this.figure.dispatchEvent(new CustomEvent("charthover", { bubbles: true, detail: event.points[0].x }));
    });
    this.plot.on("plotly_unhover", () => this.figure.dispatchEvent(new CustomEvent("chartunhover", { bubbles: true })));
  }

  /** @param {[number, number] | null} range */
  zoom(range) {
    this.range = range;
    this.renew();
  }

  /**
   * Show what is at *x*, as if the pointer were there.
   * @param {number | string | null} x
   */
  async point(x) {
    if (!this.plot.classList.contains("drawn") || this.figure.dataset.kind === "xy") return;
    const Plotly = await plotly();
    if (x === null) Plotly.Fx.unhover(this.plot);
    else Plotly.Fx.hover(this.plot, { xval: x }, ["xy"]);
  }

  sayNonFinite() {
    const count = this.series.reduce((sum, { buckets }) => sum + buckets.reduce((all, bucket) => all + bucket.non_finite, 0), 0);
    this.say(count ? `${count.toLocaleString("en")} NaN or infinite` : "");
  }

  /** @param {string} text */
  say(text) {
    let note = this.plot.querySelector(".note");
    if (!note && text) {
      note = document.createElement("p");
      note.className = "note";
      this.plot.append(note);
    }
    if (note) note.textContent = text;
  }

  /**
   * Put a newer last value beside the title.
   * @param {number | string} value
   */
  showLast(value) {
    const last = this.figure.querySelector(".last");
    if (!last) return;
    last.setAttribute("title", String(value));
    last.firstChild ? (last.firstChild.nodeValue = short(value)) : (last.textContent = short(value));
  }
}

/**
 * Four significant digits, as the server writes them.
 * @param {number | string} value
 * @returns {string}
 */
function short(value) {
  if (typeof value !== "number") return value;
  if (value === 0) return "0";
  if (Number.isInteger(value) && Math.abs(value) < 1e12) return value.toLocaleString("en");
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  if (magnitude < -4 || magnitude > 6) return value.toExponential(3);
  const digits = Math.max(0, 3 - magnitude);
  return Number(value.toPrecision(4)).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
