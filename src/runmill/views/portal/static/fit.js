/** @file The log beside a run's curves ends where the window does, however tall what stands above it is. */

/** Measure it now and whenever the page changes its size. */
export function startFitting() {
  const split = document.querySelector(".split");
  const main = document.querySelector("main");
  if (!split || !main) return;
  new ResizeObserver(() => {
    const top = Math.round(split.getBoundingClientRect().top + scrollY);
    document.documentElement.style.setProperty("--split-top", `${top}px`);
  }).observe(main);
}
