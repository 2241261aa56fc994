/** @file Buttons that copy what they stand beside. */

/** Listen for all of them, also those that come later. */
export function startCopying() {
  document.addEventListener("click", async (event) => {
    const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
    if (!button) return;
    event.preventDefault();
    await navigator.clipboard.writeText(button.getAttribute("data-copy") ?? "");
    button.classList.add("copied");
    const before = button.getAttribute("title");
    button.setAttribute("title", "Copied");
    setTimeout(() => before === null ? button.removeAttribute("title") : button.setAttribute("title", before), 1500);
  });
}
