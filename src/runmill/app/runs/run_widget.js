// A run as it goes on. The browser reads it from the run's server where it reaches one: a kernel that trains has no
// time. Elsewhere, as on a remote hub, it shows what the kernel's thread tells it.

const REFRESH_MS = 2000;
const ENDED = ["Completed", "Failed", "Canceled"];
const COLOURS = { Completed: "#2e7d32", Failed: "#c62828", Canceled: "#757575", NotResponding: "#ef6c00" };
const LOCAL = ["localhost", "127.0.0.1", "[::1]"];
const SYSTEM = /^(system|process|hw)\./;

export default { render };

function render({ model, el }) {
  const show = (glance) => glance.facts && el.replaceChildren(card(glance));
  const told = () => model.get("is_fetching") || show(model.get("glance"));
  model.on("change:glance", told);
  told();
  const stop = new AbortController();
  follow(model, show, stop.signal);
  return () => stop.abort();
}

async function follow(model, show, signal) {
  if (!LOCAL.includes(location.hostname)) return; // the server answers no other page, and browsers would ask the user
  while (!signal.aborted) {
    try {
      const glance = await look(model.get("server"), model.get("run_id"), signal);
      if (!model.get("is_fetching")) {
        model.set("is_fetching", true);
        model.save_changes();
      }
      show(glance);
      if (glance.has_ended) return;
    } catch {
      if (!model.get("is_fetching")) return; // never reached: the kernel tells
    }
    await new Promise((done) => setTimeout(done, REFRESH_MS));
  }
}

async function look(server, runId, signal) {
  const api = `${server}/api/v1`;
  const path = `${api}/runs/${encodeURIComponent(runId)}`;
  const read = async (address) => {
    const answer = await fetch(address, { signal });
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  };
  const [run, { metrics }, { records }, { runs }] = await Promise.all([
    read(path), read(`${path}/metrics`), read(`${path}/logs?limit=15`),
    read(`${api}/runs?limit=50&parent_id=${encodeURIComponent(runId)}`),
  ]);
  const logged = metrics.filter((each) => !SYSTEM.test(each.metric)).slice(0, 24);
  return {
    facts: facts(run),
    status: run.status,
    has_ended: ENDED.includes(run.status),
    address: `${server}/runs/${encodeURIComponent(runId)}`,
    curves: await Promise.all(logged.map((each) => curve(read, path, each))),
    lines: records.map(line),
    children: runs.map((child) => ({ name: child.display_name, status: child.status })),
  };
}

async function curve(read, path, { metric, column, numeric_count, count, last_value }) {
  const wanted = new URLSearchParams({ metric, buckets: 60, ...(column === null ? {} : { column }) });
  const { buckets } = numeric_count > 1 ? await read(`${path}/series?${wanted}`) : { buckets: [] };
  return {
    name: column === null ? metric : `${metric}: ${column}`,
    last: typeof last_value === "number" ? String(Number(last_value.toPrecision(6))) : String(last_value),
    count,
    shape: buckets.map((bucket) => bucket.last).filter((value) => typeof value === "number"),
  };
}

function facts(run) {
  const until = run.end_time_unix_nano ?? Math.max(run.last_seen_unix_nano, run.start_time_unix_nano);
  const tags = Object.entries(run.tags).map(([key, value]) => (value === null ? key : `${key}: ${value}`));
  const found = {
    Run: run.display_name,
    Experiment: `${run.experiment} #${run.number}`,
    Status: run.status,
    Started: new Date(run.start_time_unix_nano / 1e6).toLocaleString("sv"),
    Duration: duration((until - run.start_time_unix_nano) / 1e9),
    Tags: tags.join(", "),
    Error: run.error?.message ?? "",
  };
  return Object.fromEntries(Object.entries(found).filter(([, fact]) => fact));
}

function duration(seconds) {
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function line({ time_unix_nano, severity_text, body }) {
  const time = new Date(time_unix_nano / 1e6).toLocaleTimeString("sv");
  return `${time} ${severity_text ? `${severity_text} ` : ""}${typeof body === "string" ? body : JSON.stringify(body)}`;
}

// Whatever a user named or logged goes in as text, never as HTML.
function card({ facts, address, curves, lines, children }) {
  const link = Object.assign(document.createElement("a"), { href: address, target: "_blank", rel: "noopener" });
  link.textContent = "Open the run's page";
  const parts = [
    table([], Object.entries(facts).map(([name, fact]) => [bold(name), name === "Status" ? status(fact) : fact])),
    element("p", link),
    table(["Metric", "Last", "", "Values"], curves.map((each) => [each.name, each.last, sparkline(each), each.count])),
    table(["Child run", "Status"], children.map((each) => [each.name, status(each.status)])),
    lines.length ? element("pre", lines.join("\n")) : "",
  ];
  const made = element("div", ...parts);
  made.className = "runmill-run";
  return made;
}

function table(heads, rows) {
  if (!rows.length) return "";
  const row = (tag, cells) => element("tr", ...cells.map((cell) => {
    const made = element(tag, cell);
    made.style.textAlign = "left";
    return made;
  }));
  return element("table", ...(heads.length ? [row("th", heads)] : []), ...rows.map((cells) => row("td", cells)));
}

function status(text) {
  const made = bold(text);
  made.style.color = COLOURS[text] ?? "#1565c0";
  return made;
}

function bold(text) {
  return element("b", text);
}

function sparkline({ name, shape }) {
  if (shape.length < 2) return "";
  const [width, height, low, high] = [160, 28, Math.min(...shape), Math.max(...shape)];
  const [across, up] = [width / (shape.length - 1), (height - 4) / (high - low || 1)];
  const svg = vector("svg", { width, height, role: "img", "aria-label": name });
  const points = shape.map((value, at) => `${(at * across).toFixed(1)},${(height - 2 - (value - low) * up).toFixed(1)}`);
  svg.append(vector("polyline", { points: points.join(" "), fill: "none", stroke: "currentColor", "stroke-width": 1.5 }));
  return svg;
}

function vector(tag, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function element(tag, ...content) {
  const made = document.createElement(tag);
  made.append(...content);
  return made;
}
