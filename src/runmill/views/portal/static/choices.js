/** @file Small forms: a choice that is a page of its own is gone to at once; runs that are ticked can be compared. */

/** Take over those of the page. */
export function startChoices() {
  document.addEventListener("change", (event) => {
    const field = event.target instanceof Element ? event.target : null;
    if (field?.matches("[data-submit]")) /** @type {HTMLSelectElement} */ (field).form?.requestSubmit();
    if (field?.matches("[data-compare] input, input[form]")) renewCompare();
  });
  document.addEventListener("runs:shown", renewCompare);
  renewCompare();
}

function renewCompare() {
  const form = /** @type {HTMLFormElement | null} */ (document.querySelector("form[data-compare]"));
  const button = form?.querySelector("button");
  if (!form || !button) return;
  const count = new FormData(form).getAll("run").length;
  button.disabled = count < 2;
  button.textContent = count < 2 ? "Compare" : `Compare ${count} runs`;
}
