/** @file Light or dark: the system's choice until the reader makes one, kept in a cookie so that the server's first paint has it. */

const YEAR_SECONDS = 31536000;

/** @returns {"light" | "dark"} */
export function theme() {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Let the button in the bar change it; whoever draws hears `themechange` on the document. */
export function startTheme() {
  const button = /** @type {HTMLButtonElement | null} */ (document.querySelector("[data-theme-toggle]"));
  if (!button) return;
  button.addEventListener("click", () => {
    const next = theme() === "dark" ? "light" : "dark";
    document.documentElement.dataset.theme = next;
    document.cookie = `theme=${next}; path=/; max-age=${YEAR_SECONDS}; samesite=lax`;
    announce();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", announce);
}

function announce() {
  document.dispatchEvent(new Event("themechange"));
}

/**
 * @param {string} name a custom property
 * @returns {string} the colour it stands for in the theme at hand
 */
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
