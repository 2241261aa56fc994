/** @file Which day a line is of: each piece of the log says it anew, and the list once. */

/** @param {Element} list lines with the days between them, of which some were put together from pieces */
export function tidyDays(list) {
  let day = null;
  for (const each of list.querySelectorAll(":scope > .day")) {
    const isEmpty = each.nextElementSibling?.matches(".day");
    if (isEmpty || each.getAttribute("data-day") === day) each.remove();
    else day = each.getAttribute("data-day");
  }
}

/**
 * Take lines from the top, and the days that have none left.
 * @param {Element} list
 * @param {number} kept
 */
export function dropOldest(list, kept) {
  while (list.childElementCount > kept) {
    const first = list.firstElementChild;
    (first?.matches(".day") ? first.nextElementSibling : first)?.remove();
  }
  tidyDays(list);
}
