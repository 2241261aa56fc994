/** @file Plotly: loaded when the first chart comes into view, dressed in the page's colours. */

import { colour } from "./theme.js";

/** @type {Promise<any> | null} */
let loading = null;

// Plotly's map part writes a style element into any page that has no element of this id, and the policy refuses it.
const MAP_STYLE_ID = "9f215cf04c5486422605d13261cb87401f4e7763b6296af81e98efbc0130da53";

/** @returns {Promise<any>} Plotly */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const standIn = document.createElement("meta");
    standIn.id = MAP_STYLE_ID;
    const script = document.createElement("script");
    script.src = document.documentElement.dataset.plotly ?? "";
    script.onload = () => resolve(/** @type {any} */ (window).Plotly);
    script.onerror = () => reject(new Error("the charts' script could not be read"));
    document.head.append(standIn, script);
  });
  return loading;
}

export const CONFIG = { displayModeBar: false, responsive: true, doubleClick: "reset", showTips: false };

// Plotly's own labels of times need two rows, and turn where they are narrow.
const CLOCK = {
  nticks: 4,
  tickangle: 0,
  tickformatstops: [
    { dtickrange: [null, 59_000], value: "%H:%M:%S" },
    { dtickrange: [60_000, 86_399_000], value: "%H:%M" },
    { dtickrange: [86_400_000, null], value: "%b %-d" },
  ],
};
const DASHES = ["solid", "dot", "dash", "longdash"];
const COLOURS = 8;

/** @typedef {{xType: "linear" | "date", xTitle: string, log: boolean}} Axes */

/** @param {Axes} axes */
export function layout({ xType, xTitle, log }) {
  const line = colour("--line");
  const muted = colour("--muted");
  const axis = { gridcolor: line, linecolor: line, zeroline: false, tickfont: { size: 11, color: muted }, fixedrange: false, automargin: false };
  return {
    autosize: true,
    height: 216,
    margin: { l: 44, r: 8, t: 8, b: xTitle ? 40 : 28 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', sans-serif", size: 11, color: colour("--text") },
    showlegend: false,
    hovermode: "x",
    hoverdistance: -1,
    dragmode: "zoom",
    hoverlabel: { bgcolor: colour("--raised"), bordercolor: line, font: { size: 11, color: colour("--text") } },
    xaxis: { ...axis, type: xType, showgrid: false, ticks: "outside", ticklen: 3, tickcolor: line, nticks: 6, ...(xType === "date" ? CLOCK : {}), hoverformat: xType === "linear" ? ",~r" : "%H:%M:%S", title: { text: xTitle, font: { size: 11, color: muted }, standoff: 0 } },
    yaxis: { ...axis, type: log ? "log" : "linear", nticks: log ? 3 : 5, exponentformat: "power", tickformat: "~g", fixedrange: true },
  };
}

const FEW = 6;
const MANY = 10_000;

/**
 * Steps and runs are counted: an axis of few of them has no ticks between two, one of many says 20k and 3M.
 * @param {number[]} xs
 * @returns {{dtick?: number, tickformat?: string}} for the x axis
 */
export function wholeTicks(xs) {
  const [first, last] = [Math.min(...xs), Math.max(...xs)];
  if (!xs.length || last >= MANY) return xs.length ? { tickformat: "~s" } : {};
  return last - first <= FEW ? { dtick: 1 } : {};
}

/**
 * The line of one series, and the band between its buckets' smallest and greatest where buckets hold more than a point.
 * @param {{x: (number | string)[], y: (number | null)[], low: (number | null)[], high: (number | null)[], name: string, isNamed: boolean, place: number, banded: boolean, marked: boolean, buckets: object[]}} series
 * whose buckets stay with the line, point for point
 */
export function traces({ x, y, low, high, name, isNamed, place, banded, marked, buckets }) {
  const stroke = colour(`--series-${place % COLOURS}`);
  const said = isNamed ? `${name.replaceAll("<", "&lt;")} ` : "";
  const main = {
    x, y, name, buckets, type: "scatter", mode: marked ? "lines+markers" : "lines", connectgaps: false,
    line: { color: stroke, width: 1.5, dash: DASHES[Math.floor(place / COLOURS) % DASHES.length] }, marker: { color: stroke, size: 4 },
    hovertemplate: `${said}%{y:.4~g}<extra></extra>`,
  };
  if (!banded) return [main];
  const edge = { x, type: "scatter", mode: "lines", line: { width: 0 }, hoverinfo: "skip" };
  return [{ ...edge, y: low }, { ...edge, y: high, fill: "tonexty", fillcolor: stroke.replace("rgb(", "rgba(").replace(")", ", 0.15)") }, main];
}
