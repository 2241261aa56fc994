/** @file One chart: asks for as many points as it has pixels, draws, zooms into finer ones. */

import { Axis, overOf } from "./axis.js";
import { look, pin, placeAt, spanOf } from "./moment.js";
import { CONFIG, layout, plotly, traces, wholeTicks } from "./plotting.js";
import { fetchSeries, smoothed } from "./series.js";

const MARKED_POINTS = 40;

/**
 * @typedef {{x: string, log: boolean, smooth: number}} Settings
 * @typedef {{run: string, rank?: string, column: string | null, name: string, place: number, start?: number}} Line
 * of a chart: whose points, under which name and colour; `start` is the run's, where time counts from it
 */

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
    this.lines = linesOf(figure);
    this.isPairs = figure.dataset.kind === "xy";
    this.xColumn = figure.dataset.xColumn ?? null;
    /** @type {Line[]} those that are drawn: a column that is x is none */
    this.shown = this.lines;
    this.axis = new Axis(this.over(), [], []);
    this.seen = false;
    this.stale = true;
    this.reading = false;
    /** @type {import("./series.js").Series[]} */
    this.series = [];
    /** @type {[number | string, number | string] | null} */
    this.range = null;
    /** @type {number | string | null} */
    this.crossed = null;
    /** @type {number | null} */
    this.pinned = null;
  }

  /** Read the series anew and draw; while that goes on, one more wish for it is remembered. */
  async renew() {
    this.stale = true;
    if (!this.seen || this.reading) return;
    this.reading = true;
    plotly().catch(() => undefined); // on its way while the series is read; draw() says what is wrong with it
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

  over() {
    const columns = this.lines.map(({ column }) => column);
    return overOf(this.settings().x, { metric: this.metric, columns, xColumn: this.xColumn, isPairs: this.isPairs, isCompared: "lines" in this.figure.dataset });
  }

  async read() {
    const over = this.over();
    const shown = this.lines.filter(({ column }) => !over.column || column !== over.column);
    const how = { over: over.asked, buckets: Math.max(100, this.plot.clientWidth) };
    const series = await Promise.all(shown.map((line, place) => fetchSeries(line, this.metric, { ...how, range: this.rangeOf(place) })));
    // Zoomed in, an axis keeps its unit: what was chosen of it is told in that.
    if (!this.range) this.axis = new Axis(over, series, shown.map(({ start }) => start ?? 0));
    this.shown = shown;
    return series;
  }

  /**
   * @param {number} place of a line
   * @returns {[number, number] | undefined} what of it is asked for
   */
  rangeOf(place) {
    return this.range ? [this.axis.stored(this.range[0], place), this.axis.stored(this.range[1], place)] : undefined;
  }

  /** Draw what was read last, as the settings want it now. */
  async draw() {
    if (!this.series.length) return;
    const Plotly = await plotly();
    const { drawn, xType, xTitle } = this.isPairs ? this.pairs() : this.curves();
    const log = this.settings().log && this.values().some((value) => value > 0);
    const shape = layout({ xType, xTitle, log });
    if (this.axis.isCounted && !this.isPairs) Object.assign(shape.xaxis, wholeTicks(this.series.flatMap(({ buckets }) => buckets.map(({ x }) => x))));
    Object.assign(shape.xaxis, this.range ? { range: this.range, autorange: false } : { autorange: true });
    await Plotly.react(this.plot, drawn, shape, CONFIG);
    if (!this.plot.classList.contains("drawn")) this.listen();
    this.plot.classList.add("drawn");
    this.placeMarks();
    this.sayWhatIsMissing(log);
  }

  values() {
    return this.series.flatMap(({ buckets }) => buckets.map(({ last }) => last)).filter((value) => value !== null);
  }

  curves() {
    const { smooth } = this.settings();
    const drawn = this.series.flatMap(({ buckets }, number) => traces({
      x: buckets.map(({ x }) => this.axis.drawn(x, number)),
      y: smoothed(buckets.map(({ last }) => last), smooth),
      low: buckets.map(({ minimum }) => minimum),
      high: buckets.map(({ maximum }) => maximum),
      name: this.shown[number].name,
      isNamed: this.shown.length > 1,
      place: this.shown[number].place,
      banded: buckets.some(({ count }) => count > 1),
      marked: buckets.length <= MARKED_POINTS,
      buckets,
    }));
    return { drawn, xType: this.axis.type, xTitle: this.axis.title };
  }

  /** Two columns: the first is the x of the second. */
  pairs() {
    const [across, up] = this.series;
    const xs = new Map(across.buckets.map(({ x, last }) => [x, last]));
    const buckets = up.buckets.filter(({ x }) => xs.get(x) != null);
    const y = buckets.map(({ last }) => last);
    const x = buckets.map((bucket) => /** @type {number} */ (xs.get(bucket.x)));
    const drawn = traces({ x, y, low: y, high: y, name: up.column ?? "", isNamed: false, place: 0, banded: false, marked: buckets.length <= MARKED_POINTS, buckets });
    return { drawn, xType: /** @type {const} */ ("linear"), xTitle: across.column ?? "" };
  }

  listen() {
    this.plot.on("plotly_relayout", (/** @type {Record<string, unknown>} */ change) => {
      if (this.isPairs) return;
      if ("xaxis.range[0]" in change) this.zoom(/** @type {[number | string, number | string]} */ ([change["xaxis.range[0]"], change["xaxis.range[1]"]]));
      else if (this.range && ("xaxis.autorange" in change || "xaxis.range" in change)) this.zoom(null);
    });
    this.plot.on("plotly_hover", (/** @type {any} */ event) => {
      if (!event.event) return; // shown for another chart's pointer
      const point = event.points.find((/** @type {any} */ each) => each.data.buckets);
      if (point) look(spanOf(point.data.buckets, point.pointNumber));
      this.figure.dispatchEvent(new CustomEvent("charthover", { bubbles: true, detail: { x: event.points[0].x, kind: this.axis.kind, time: point?.data.buckets[point.pointNumber].time_unix_nano ?? null } }));
    });
    this.plot.on("plotly_unhover", () => {
      look(null);
      this.figure.dispatchEvent(new CustomEvent("chartunhover", { bubbles: true }));
    });
    this.plot.on("plotly_click", (/** @type {any} */ event) => {
      const point = event.points.find((/** @type {any} */ each) => each.data.buckets);
      if (point) pin(point.data.buckets[point.pointNumber].time_unix_nano);
    });
    this.plot.on("plotly_afterplot", () => this.placeMarks());
  }

  /** @param {[number | string, number | string] | null} range as it is drawn */
  zoom(range) {
    this.range = range;
    this.renew();
  }

  /**
   * Show what is at *x*, as if the pointer were there.
   * @param {number | string | null} x
   */
  async point(x) {
    if (!this.plot.classList.contains("drawn") || this.isPairs) return;
    const Plotly = await plotly();
    if (x === null) Plotly.Fx.unhover(this.plot);
    else Plotly.Fx.hover(this.plot, { xval: x }, ["xy"]);
  }

  /**
   * Draw a line where the pointer is, on this chart or another, or in the log; null takes it away.
   * @param {number | string | null} x
   */
  cross(x) {
    this.crossed = x;
    this.placeMark("passing", x);
  }

  /**
   * Draw a line at the chosen moment; null takes it away.
   * @param {number | null} time
   */
  pin(time) {
    this.pinned = time;
    this.placeMark("pinned", time === null ? null : this.xAt(time));
  }

  /** After a drawing the lines may belong elsewhere. */
  placeMarks() {
    this.cross(this.crossed);
    this.pin(this.pinned);
  }

  /**
   * @param {"passing" | "pinned"} kind
   * @param {number | string | null} x
   */
  placeMark(kind, x) {
    const axis = this.plot._fullLayout?.xaxis;
    const left = x === null || this.isPairs || !axis ? -1 : axis.d2p(x);
    let line = /** @type {HTMLElement | null} */ (this.plot.querySelector(`.mark.${kind}`));
    if (!(left >= 0 && left <= axis._length)) return line?.remove();
    if (!line) {
      line = document.createElement("i");
      line.className = `mark ${kind}`;
      this.plot.append(line);
    }
    line.style.left = `${axis._offset + left}px`;
    line.style.height = `${this.plot._fullLayout._size.h}px`;
    line.dataset.x = typeof x === "string" ? new Date(x).toTimeString().slice(0, 8) : Number(x).toLocaleString("en");
  }

  /**
   * @param {number} time
   * @returns {number | string | null} the x at which the run was then; null before its first point
   */
  xAt(time) {
    const [first] = this.series;
    const place = first ? placeAt(first.buckets, time) : -1;
    return place < 0 ? null : this.axis.drawn(first.buckets[place].x, 0);
  }

  /** @param {boolean} log whether the axis is logarithmic */
  sayWhatIsMissing(log) {
    const count = this.series.reduce((sum, { buckets }) => sum + buckets.reduce((all, bucket) => all + bucket.non_finite, 0), 0);
    const isEmpty = this.series.every(({ buckets }) => !buckets.length);
    const { rank } = this.lines[0];
    this.say(!isEmpty ? "" : this.axis.over.name ? `no point has a ${this.axis.over.name}` : `rank ${rank} logged none`);
    const oddity = this.figure.querySelector(".oddity");
    const notAbove = this.settings().log && this.values().some((value) => value <= 0);
    const said = [count && `${count.toLocaleString("en")} NaN or infinite`, notAbove && (log ? "not all above 0" : "not above 0, so not log")];
    if (oddity) oddity.textContent = said.filter(Boolean).join(", ");
    const newest = this.series.at(-1)?.buckets.at(-1)?.last;
    if (this.lines[0].rank !== undefined && typeof newest === "number") this.showLast(newest);
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
    if (last.firstChild instanceof Text) last.firstChild.nodeValue = short(value);
    else last.prepend(short(value));
  }
}

/**
 * A line a column, or on a page of several runs a line a run.
 * @param {HTMLElement} figure
 * @returns {Line[]}
 */
function linesOf(figure) {
  if (figure.dataset.lines) return JSON.parse(figure.dataset.lines);
  const columns = /** @type {(string | null)[]} */ (JSON.parse(figure.dataset.columns ?? "[null]"));
  const { run = "", rank, metric = "" } = figure.dataset;
  const start = Number(figure.dataset.start ?? 0);
  return columns.map((column, place) => ({ run, rank, column, name: column ?? metric, place, start }));
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
