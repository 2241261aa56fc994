/** @file The chart of an experiment: a point a run, a click opens it. */

import { CONFIG, layout, plotly, wholeTicks } from "./plotting.js";
import { colour } from "./theme.js";

/** @typedef {{number: number, run_id: string, name: string, value: number | string}} Point */

/** Draw it, if the page has one. */
export function startRunsChart() {
  drawIt();
  for (const name of ["themechange", "runs:shown"]) document.addEventListener(name, drawIt);
}

/** The table brings its chart along: each time it may be another figure. */
async function drawIt() {
  const figure = /** @type {HTMLElement | null} */ (document.querySelector(".chart[data-kind=runs]"));
  if (!figure) return;
  const Plotly = await plotly();
  const plot = /** @type {any} */ (figure.querySelector(".plot"));
  const points = /** @type {Point[]} */ (JSON.parse(figure.dataset.points ?? "[]")).filter(({ value }) => typeof value === "number");
  const stroke = colour("--series-0");
  const trace = {
    x: points.map(({ number }) => number), y: points.map(({ value }) => value), text: points.map(({ name }) => name.replaceAll("<", "&lt;")),
    type: "scatter", mode: "lines+markers", line: { color: stroke, width: 1 }, marker: { color: stroke, size: 6 },
    hovertemplate: "%{text}<br>%{y:.4~g}<extra></extra>",
  };
  const first = !plot.classList.contains("drawn");
  const shape = layout({ xType: "linear", xTitle: "", log: false });
  Object.assign(shape.xaxis, wholeTicks(trace.x));
  await Plotly.react(plot, [trace], { ...shape, hovermode: "closest" }, CONFIG);
  plot.classList.add("drawn");
  if (first) {
    plot.on("plotly_click", (/** @type {any} */ event) => {
      location.href = `${document.documentElement.dataset.base}/runs/${points[event.points[0].pointIndex].run_id}`;
    });
  }
}
