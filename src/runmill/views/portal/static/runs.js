/** @file A table of runs: its filter, order and columns without a reload, and in the address. */

import { readAnswer, replacePieces } from "./pieces.js";

const TYPING_MS = 300;
const PIECES = ["runs-count", "runs-found"];

/** @type {AbortController | null} */
let asking = null;

/** Take over the table of the page, if it has one. */
export function startRuns() {
  const form = document.getElementById("runs-filter");
  if (!(form instanceof HTMLFormElement)) return;
  let typing = 0;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    show(addressOf(form));
  });
  form.addEventListener("input", (event) => {
    clearTimeout(typing);
    const isQuery = event.target instanceof Element && event.target.matches(".query");
    typing = setTimeout(() => show(addressOf(form), { isTyping: isQuery }), TYPING_MS);
  });
  form.addEventListener("change", () => show(addressOf(form)));
  document.addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("#runs thead a") : null;
    if (!(link instanceof HTMLAnchorElement)) return;
    event.preventDefault();
    const sorted = new URL(link.href).searchParams;
    for (const name of ["sort", "metric"]) setHidden(form, name, sorted.get(name) ?? "");
    show(addressOf(form), { head: link.closest("th") });
  });
  document.addEventListener("click", (event) => {
    const menu = document.querySelector("details.menu[open]");
    if (menu && !menu.contains(/** @type {Node} */ (event.target))) menu.removeAttribute("open");
  });
  form.addEventListener("keydown", (event) => {
    const menu = document.querySelector("details.menu[open]");
    if (event.key !== "Escape" || !menu) return;
    menu.removeAttribute("open");
    menu.querySelector("summary")?.focus();
  });
  addEventListener("popstate", () => location.reload());
}

/** @param {HTMLFormElement} form @param {string} name @param {string} value */
function setHidden(form, name, value) {
  const field = /** @type {HTMLInputElement} */ (form.elements.namedItem(name));
  field.value = value;
  field.disabled = !value;
}

/**
 * Only what is not as usual stands in the address.
 * @param {HTMLFormElement} form
 * @returns {string}
 */
function addressOf(form) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value && name !== "column") asked.set(name, String(value));
  const chosen = new FormData(form).getAll("column").map(String);
  const usual = /** @type {string[]} */ (JSON.parse(form.querySelector(".choices")?.getAttribute("data-usual") ?? "[]"));
  // Columns that the address names and no run of these has stay named: another filter may bring them back.
  const offered = new Set([...form.querySelectorAll("[name=column]")].map((box) => box.getAttribute("value")));
  const unseen = new URLSearchParams(location.search).getAll("column").filter((key) => !offered.has(key));
  if ([...chosen].sort().join() !== [...usual].sort().join()) for (const key of [...chosen, ...unseen]) asked.append("column", key);
  const query = asked.toString();
  return query ? `${form.action}?${query}` : form.action;
}

/**
 * @param {string} address
 * @param {{head?: Element | null, isTyping?: boolean}} [how] the head of a column that was sorted by keeps the focus;
 * what is still being typed is not blamed
 */
async function show(address, { head = null, isTyping = false } = {}) {
  asking?.abort();
  asking = new AbortController();
  const place = head ? [...(head.parentElement?.children ?? [])].indexOf(head) : -1;
  try {
    const { page, isFine } = await readAnswer(address, asking.signal);
    if (!isFine && isTyping) return;
    replacePieces(page, isFine ? [...PIECES, "runs-mistake"] : ["runs-mistake"]);
    document.getElementById("runs-filter")?.querySelector(".query")?.setAttribute("aria-invalid", String(!isFine));
    if (!isFine) return; // what fitted the query before stays: half of one is seldom right
    history.replaceState(null, "", address);
    document.dispatchEvent(new Event("runs:shown"));
    const link = document.querySelectorAll("#runs thead th")[place]?.querySelector("a");
    link?.focus({ preventScroll: true });
  } catch (error) {
    if (!(error instanceof DOMException)) say(String(error instanceof Error ? error.message : error));
  }
}

/** @param {string} text */
function say(text) {
  const place = document.getElementById("runs-mistake");
  const line = document.createElement("p");
  line.className = "mistake";
  line.textContent = text;
  place?.replaceChildren(line);
}
