/** @file MLflow's client prints addresses as its own portal has them; each leads to the page that is meant. */

const LINK = /^#\/experiments\/(.+?)(?:\/runs\/([^/?]+))?(?:\?.*)?$/;

/** MLflow's number for the experiment of runs that name none. */
const OF_NONE = "0";

/** Go where the part of the address after `#` says, now and when it changes. */
export function startMlflowLinks() {
  follow();
  addEventListener("hashchange", follow);
}

function follow() {
  const [, experiment, run] = LINK.exec(decodeURIComponent(location.hash)) ?? [];
  if (!experiment) return;
  const name = experiment === OF_NONE ? "default" : experiment;
  const page = run ? `/runs/${encodeURIComponent(run)}` : `/experiments/${encodeURIComponent(name)}`;
  location.replace(`${document.documentElement.dataset.base ?? ""}${page}`);
}
