/** @file The JSON kinds: the server says what their curves and bars are, this draws the view the reader chose. */

import { CONFIG, layout, plotly } from "./plotting.js";
import { colour } from "./theme.js";

/**
 * @typedef {{name: string, x: number[], y: number[], role: "class" | "average" | "guide", spread: number[] | null, note: string}} Curve
 * @typedef {{title: string, x_title: string, y_title: string, curves: Curve[], edges: number[], bars: number[]}} Plot
 */

/** @type {Map<Element, FigureView>} */
const figures = new Map();

const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    inView.unobserve(target);
    figures.get(target)?.renew();
  }
}, { rootMargin: "200px" });

/** Take over the figures of the page. */
export function startFigures() {
  adoptFigures();
  document.addEventListener("themechange", () => figures.forEach((figure) => figure.draw()));
}

/** Take over those that are new on the page. */
export function adoptFigures() {
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".chart[data-figure]"))) {
    if (figures.has(element)) continue;
    figures.set(element, new FigureView(element));
    inView.observe(element);
  }
}

class FigureView {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.element = element;
    this.plot = /** @type {HTMLElement} */ (element.querySelector(".plot"));
    /** @type {Plot[]} */
    this.plots = [];
    /** @type {Set<string>} names of curves that the reader put out */
    this.hidden = new Set();
    element.querySelector(".views")?.addEventListener("change", () => this.draw());
    element.querySelector(".legend")?.addEventListener("click", (event) => this.toggle(event));
    element.addEventListener("figurechange", () => this.renew());
  }

  async renew() {
    const answer = await fetch(this.element.dataset.figure ?? "");
    const content = await answer.json();
    if (!answer.ok) return; // the picture and the numbers stay
    this.plots = content.plots;
    await this.draw();
  }

  async draw() {
    const chosen = /** @type {HTMLInputElement | null} */ (this.element.querySelector(".views input:checked"));
    const plot = this.plots[Number(chosen?.value ?? 0)];
    if (!plot) return;
    const Plotly = await plotly();
    const shape = layout({ xType: "linear", xTitle: plot.x_title, log: false });
    shape.hovermode = plot.bars.length ? "x" : "closest";
    shape.margin = { ...shape.margin, b: 38 };
    Object.assign(shape, { bargap: 0.04 });
    Object.assign(shape.yaxis, { title: { text: plot.y_title, font: shape.xaxis.title.font, standoff: 4 }, automargin: true });
    const drawn = plot.bars.length ? [bars(plot)] : plot.curves.map((curve, place) => line(curve, place, this.hidden.has(curve.name)));
    await Plotly.react(this.plot, drawn, shape, CONFIG);
    this.plot.classList.add("drawn");
    this.showLegend(plot);
  }

  /** @param {Plot} plot */
  showLegend(plot) {
    const legend = this.element.querySelector(".legend");
    if (!legend || plot.curves.length < 3) return legend?.replaceChildren();
    legend.replaceChildren(...plot.curves.map((curve, place) => {
      const entry = document.createElement("button");
      entry.type = "button";
      entry.className = role(curve, place);
      entry.dataset.curve = curve.name;
      entry.setAttribute("aria-pressed", String(!this.hidden.has(curve.name)));
      entry.textContent = curve.name;
      if (curve.note) entry.append(" ", Object.assign(document.createElement("small"), { textContent: curve.note }));
      return entry;
    }));
  }

  /** @param {Event} event */
  toggle(event) {
    const name = event.target instanceof Element ? event.target.closest("button")?.dataset.curve : undefined;
    if (name === undefined) return;
    if (!this.hidden.delete(name)) this.hidden.add(name);
    this.draw().then(() => /** @type {HTMLElement | null} */ (this.element.querySelector(`[data-curve="${CSS.escape(name)}"]`))?.focus());
  }
}

/** @param {Curve} curve @param {number} place */
function role(curve, place) {
  return curve.role === "class" ? `series-${place % 8}` : curve.role;
}

/** @param {Curve} curve @param {number} place @param {boolean} hidden */
function line(curve, place, hidden) {
  const stroke = colour({ class: `--series-${place % 8}`, average: "--text", guide: "--muted" }[curve.role]);
  const dash = { class: "solid", average: curve.name.startsWith("macro") ? "dash" : "solid", guide: "dot" }[curve.role];
  return {
    x: curve.x, y: curve.y, name: curve.name, visible: !hidden, type: "scatter", mode: curve.spread ? "lines+markers" : "lines",
    line: { color: stroke, width: curve.role === "class" ? 1.25 : curve.role === "average" ? 2 : 1, dash }, marker: { color: stroke, size: 5 },
    error_y: curve.spread ? { type: "data", array: curve.spread, color: stroke, thickness: 1, width: 3 } : undefined,
    hoverinfo: curve.role === "guide" ? "skip" : undefined,
    hovertemplate: curve.role === "guide" ? undefined : `${curve.name.replaceAll("<", "&lt;")}<br>%{x:.4~g}, %{y:.4~g}<extra></extra>`,
  };
}

/** @param {Plot} plot */
function bars(plot) {
  const fill = colour("--series-0");
  const ends = plot.bars.map((_, place) => [plot.edges[place], plot.edges[place + 1]]);
  return {
    type: "bar", x: ends.map(([low, high]) => (low + high) / 2), width: ends.map(([low, high]) => high - low), y: plot.bars,
    customdata: ends, marker: { color: fill, opacity: 0.75 }, hovertemplate: "%{customdata[0]:.4~g} to %{customdata[1]:.4~g}: %{y}<extra></extra>",
  };
}
