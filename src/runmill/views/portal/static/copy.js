/** @file What is copied: what a button stands beside, a link to a line, and lines in full though the list cuts them. */

/** Listen for all of them, also those that come later. */
export function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy], [data-copy-link], [data-copy-line]") : null;
    if (!button) return;
    event.preventDefault();
    event.stopPropagation();
    await write(textFor(button));
    button.classList.add("copied");
    const before = button.getAttribute("title");
    button.setAttribute("title", "Copied");
    setTimeout(() => before === null ? button.removeAttribute("title") : button.setAttribute("title", before), 1500);
  });
  document.addEventListener("copy", (event) => {
    const text = selectedLines();
    if (!text) return;
    event.clipboardData?.setData("text/plain", text);
    event.preventDefault();
  });
}

/** @param {Element} button */
function textFor(button) {
  if (button instanceof HTMLAnchorElement) return button.href;
  const line = button.hasAttribute("data-copy-line") ? button.closest(".line") : null;
  return line ? textOf(line) : button.getAttribute("data-copy") ?? "";
}

/** @returns {string} the lines that are selected; empty where it is a part of one, which is copied as it is */
function selectedLines() {
  const selection = getSelection();
  const list = document.getElementById("lines");
  if (!selection || selection.isCollapsed || !list) return "";
  const [from, to] = [selection.anchorNode, selection.focusNode].map((node) => (node instanceof Element ? node : node?.parentElement)?.closest(".fold, .line summary > *, .line"));
  if (from && from === to && !from.matches(".line")) return "";
  return [...list.querySelectorAll(".line")].filter((line) => selection.containsNode(line, true)).map(textOf).join("\n");
}

/**
 * @param {Element} line
 * @returns {string} all of it: time with date and zone, level, logger, message, fields, traceback
 */
export function textOf(line) {
  const said = (/** @type {string} */ selector) => line.querySelector(selector)?.textContent ?? "";
  const message = said(".fold > pre:not(.traceback)") || (line.querySelector(".message")?.firstChild?.textContent ?? "");
  const fields = [...line.querySelectorAll("[data-field]")].map((name) => `${name.textContent}=${name.nextElementSibling?.querySelector("code")?.textContent}`);
  const time = line.querySelector("summary time")?.getAttribute("title") ?? "";
  const first = [time, said(".level"), said(".logger"), message, ...fields].filter(Boolean).join(" ");
  return [first, said(".traceback")].filter(Boolean).join("\n");
}

/**
 * @param {string} text
 * @returns {Promise<void> | void}
 */
export function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // A page from another machine without TLS has no such thing, but this still works.
  const field = document.createElement("textarea");
  field.value = text;
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
