/** @file Parts of a page are renewed by reading the page again: the server alone says how they look. */

/**
 * Read an address of ours as a document.
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<Document>}
 */
export async function readPage(address, signal) {
  const { page, isFine, status } = await readAnswer(address, signal);
  if (!isFine) throw new Error(page.querySelector(".problem .words, .problem .mistake span")?.textContent ?? `the server answered ${status}`);
  return page;
}

/**
 * The same, for pages that say themselves what is wrong.
 * @param {string} address
 * @param {AbortSignal} [signal]
 * @returns {Promise<{page: Document, isFine: boolean, status: number}>}
 */
export async function readAnswer(address, signal) {
  const answer = await ask(address, { signal, headers: { accept: "text/html" } });
  return { page: new DOMParser().parseFromString(await answer.text(), "text/html"), isFine: answer.ok, status: answer.status };
}

/**
 * Fetch, and say in words that nobody answers.
 * @param {string} address
 * @param {RequestInit} [how]
 * @returns {Promise<Response>}
 */
export async function ask(address, how) {
  try {
    return await fetch(address, how);
  } catch (error) {
    if (error instanceof DOMException) throw error; // it was called off
    throw new Error("The server does not answer. What is shown stays; try again when it is back.");
  }
}

/**
 * Put the elements of these ids from *page* in the place of ours; one that is on one side only is left.
 * @param {Document} page
 * @param {string[]} ids
 */
export function replacePieces(page, ids) {
  for (const id of ids) {
    const newer = page.getElementById(id);
    const older = document.getElementById(id);
    if (newer && older && newer.outerHTML !== older.outerHTML) older.replaceWith(document.adoptNode(newer));
  }
}

/** Renew the piece that says `data-refresh` (seconds) while the page is in view. */
export function startRefreshing() {
  const piece = document.querySelector("[data-refresh]");
  if (!piece) return;
  setInterval(async () => {
    if (document.hidden || piece.contains(document.activeElement)) return;
    try {
      replacePieces(await readPage(location.href), [piece.id]);
    } catch {
      return; // the server is away: what is on the page stays, the next try may do
    }
  }, Number(piece.getAttribute("data-refresh")) * 1000);
}
