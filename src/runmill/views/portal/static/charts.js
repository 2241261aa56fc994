/** @file All charts of a page: drawn when they come into view, under one pointer, one set of settings. */

import { Chart } from "./chart.js";
import { adoptFigures } from "./figures.js";
import { showFound } from "./find.js";
import { pinned } from "./moment.js";
import { readPage } from "./pieces.js";
import { startRunsChart } from "./runs_chart.js";
import { adoptSteps, keepHeld } from "./steps.js";

const RENEW_MS = 1000;

/** @type {Map<HTMLElement, Chart>} */
const charts = new Map();
/** @type {Set<string>} names of metrics that grew since they were drawn */
const grown = new Set();
let renewing = false;

/** @type {IntersectionObserver} */
const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    const chart = charts.get(/** @type {HTMLElement} */ (target));
    if (!chart) continue;
    chart.seen = isIntersecting;
    if (isIntersecting && chart.stale) chart.renew();
  }
}, { rootMargin: "200px" });

/** Take over the figures of the page. */
export function startCharts() {
  startTools();
  adopt();
  startRunsChart();
  document.addEventListener("live:points", (event) => onPoints(/** @type {CustomEvent} */ (event).detail.metrics));
  document.addEventListener("themechange", () => charts.forEach((chart) => chart.draw()));
  document.addEventListener("charthover", (event) => share(event.target, /** @type {CustomEvent} */ (event).detail));
  document.addEventListener("chartunhover", (event) => share(event.target, { x: null, kind: "", time: null }));
  startMoments();
}

/** A moment of the log is drawn on the charts; a chosen one, where there is no log, leads to the page that has one. */
function startMoments() {
  document.addEventListener("moment:mark", (event) => {
    const time = /** @type {CustomEvent} */ (event).detail;
    for (const chart of charts.values()) if (chart.seen) showAt(chart, time === null ? null : chart.xAt(time));
  });
  document.addEventListener("moment:shown", () => charts.forEach((chart) => chart.pin(pinned())));
  document.addEventListener("moment:pin", (event) => {
    const elsewhere = /** @type {HTMLElement | null} */ (document.querySelector("[data-log]"))?.dataset.log;
    if (elsewhere) location.href = `${elsewhere}?at=${/** @type {CustomEvent} */ (event).detail}`;
  });
}

/**
 * @param {Chart} chart
 * @param {number | string | null} x
 */
function showAt(chart, x) {
  chart.cross(x);
  chart.point(x);
}

function adopt() {
  for (const figure of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".chart[data-run]"))) {
    if (charts.has(figure)) continue;
    const chart = new Chart(figure, settings);
    chart.pinned = pinned();
    charts.set(figure, chart);
    inView.observe(figure);
  }
}

/**
 * @param {EventTarget | null} origin the chart under the pointer
 * @param {{x: number | string | null, kind: string, time: number | null}} place
 */
function share(origin, { x, kind, time }) {
  for (const [figure, chart] of charts) {
    if (!chart.seen) continue;
    if (figure === origin) chart.cross(x);
    else showAt(chart, chart.axis.kind === kind || time === null ? x : chart.xAt(time));
  }
}

/** @param {{metric: string, column: string | null, last: unknown}[]} metrics */
function onPoints(metrics) {
  for (const { metric } of metrics) grown.add(metric);
  for (const chart of charts.values()) {
    const newest = metrics.filter(({ metric }) => metric === chart.metric).at(-1)?.last;
    if (chart.lines[0].rank !== undefined) continue; // it may be another rank's; the drawing says
    if (typeof newest === "number" || typeof newest === "string") chart.showLast(newest);
  }
  if (renewing) return;
  renewing = true;
  setTimeout(renewGrown, RENEW_MS);
}

async function renewGrown() {
  renewing = false;
  const names = new Set([...charts.values()].map(({ metric }) => metric));
  const isNew = [...grown].some((name) => !names.has(name));
  for (const chart of charts.values()) if (grown.has(chart.metric)) chart.renew();
  grown.clear();
  if (isNew) await addFigures();
}

/** A metric that was not there, or was a single value, may have become a chart: the server decides. */
async function addFigures() {
  const mine = document.getElementById("metrics");
  if (!mine) return;
  const page = await readPage(location.pathname);
  const newer = page.getElementById("metrics");
  if (!newer) return;
  keepHeld(mine, page);
  // Figures that are drawn stay: they are moved into the newer piece in place of their plain copies.
  for (const [figure] of charts) newer.querySelector(`#${CSS.escape(figure.id)}`)?.replaceWith(figure);
  mine.replaceChildren(...newer.childNodes);
  adopt();
  adoptFigures();
  adoptSteps();
  showFound();
}

/** @returns {import("./chart.js").Settings} */
function settings() {
  const form = document.getElementById("chart-tools");
  if (!(form instanceof HTMLFormElement)) return { x: "", log: false, smooth: 0 };
  const values = new FormData(form);
  return { x: String(values.get("x") ?? ""), log: values.has("log"), smooth: Number(values.get("smooth") ?? 0) };
}

/** Settings are remembered for the experiment: its next run is looked at in the same way. */
function startTools() {
  const form = document.getElementById("chart-tools");
  if (!(form instanceof HTMLFormElement)) return;
  const key = `charts:${form.dataset.experiment}`;
  const kept = JSON.parse(localStorage.getItem(key) ?? "{}");
  form.hidden = false;
  const [x, log, smooth] = ["x", "log", "smooth"].map((name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)));
  const asked = new URLSearchParams(location.search);
  x.value = asked.get("x") ?? kept.x ?? form.dataset.x ?? "";
  log.checked = asked.has("log") || (kept.log ?? false);
  smooth.value = asked.get("smooth") ?? String(kept.smooth ?? 0);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", (event) => {
    if (event.target instanceof HTMLElement && event.target.matches("[data-find]")) return;
    localStorage.setItem(key, JSON.stringify(settings()));
    noteInAddress({ x: x.value, log: log.checked ? "y" : "", smooth: smooth.value === "0" ? "" : smooth.value });
    for (const chart of charts.values()) event.target === x ? chart.zoom(null) : chart.draw();
  });
}

/** @param {Record<string, string>} values those that are empty are as usual */
function noteInAddress(values) {
  const address = new URL(location.href);
  for (const [name, value] of Object.entries(values)) value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
  history.replaceState(null, "", address);
}
