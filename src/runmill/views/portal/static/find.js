/** @file Of many metrics those whose names have what the reader types; the others stand aside until it is gone. */

/** Take over the field, if the page has one. */
export function startFinding() {
  const field = findField();
  if (!field) return;
  field.value = new URLSearchParams(location.search).get("find") ?? "";
  field.addEventListener("input", () => {
    showFound();
    const address = new URL(location.href);
    if (field.value) address.searchParams.set("find", field.value);
    else address.searchParams.delete("find");
    history.replaceState(null, "", address);
  });
  showFound();
}

/** Look again: metrics may have come. */
export function showFound() {
  const text = findField()?.value.toLowerCase() ?? "";
  for (const piece of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll("#metrics .chart, #metrics .metric-table, #tiles > div"))) {
    const name = piece.querySelector(".name, h3, dt")?.textContent ?? "";
    piece.hidden = !name.toLowerCase().includes(text);
  }
}

/** @returns {HTMLInputElement | null} */
function findField() {
  return document.querySelector("[data-find]");
}
