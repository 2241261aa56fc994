/** @file MLflow's client prints addresses as its own portal has them; each leads to the page that is meant. */

const LINK = /^#\/experiments\/(.+?)(?:\/runs\/([^/?]+))?(?:\?.*)?$/;

/** MLflow's number for the experiment of runs that name none. */
const OF_NONE = "0";

/** Go where the part of the address after `#` says, now and when it changes. */
export function startMlflowLinks() {
  follow();
  addEventListener("hashchange", follow);
}

// Blanks are encoded in `location.hash` as they must be in a path: what is taken from the one goes into the other as it is.
function follow() {
  const [, experiment, run] = LINK.exec(location.hash) ?? [];
  if (!experiment) return;
  const page = run ? `/runs/${run}` : `/experiments/${experiment === OF_NONE ? "default" : experiment}`;
  location.replace(`${document.documentElement.dataset.base ?? ""}${page}`);
}
