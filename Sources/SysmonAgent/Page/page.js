// The built-in page: connects to the agent that it came from and shows what is live.

import { AgentCard, CPUCard, ListCard, MemoryCard, element } from "./cards.js";
import { Connection } from "./connection.js";
import * as format from "./format.js";

const $ = (id) => document.getElementById(id);
// Relative to the page, so that a token in its path is in this one too.
const socketURL = new URL(".", location.href);
socketURL.protocol = location.protocol === "https:" ? "wss:" : "ws:";
socketURL.search = socketURL.hash = "";

const traffic = (entry, ...fields) => fields.some((field) => entry[field] > 0);
const largest = (values) => values.reduce((most, value) => value > most ? value : most, 0);

const cards = [
  new CPUCard(),
  new MemoryCard(),
  new ListCard({
    id: "network", title: "Network", topics: ["/net"], list: "interfaces", thing: ["interface", "interfaces"],
    absence: "no network statistics on this host",
    columns: [
      { label: "received", field: "rx_bytes_per_second" }, { label: "sent", field: "tx_bytes_per_second" },
    ],
    isUsed: (entry) => traffic(entry, "rx_bytes_total", "tx_bytes_total"),
    isDull: ({ id }) => id === "lo",
    summary: (message, rows) => {
      const means = rows.filter(({ id }) => id !== "lo").map((row) => row.means);
      return `↓ ${format.byteRate(largest(means.map(([received]) => received)))}  `
        + `↑ ${format.byteRate(largest(means.map(([, sent]) => sent)))}`;
    },
    chart: { least: 1000, format: format.byteRate },
  }),
  new ListCard({
    id: "disk", title: "Disks", topics: ["/disk"], list: "devices", thing: ["device", "disks"],
    absence: "no disks on this host",
    columns: [
      { label: "read", field: "read_bytes_per_second" }, { label: "written", field: "write_bytes_per_second" },
    ],
    isUsed: (entry) => traffic(entry, "read_bytes_total", "write_bytes_total"),
    summary: ({ devices }) => `${format.percent(largest(devices.map((device) => device.utilization_ratio)))} busy`,
    chart: { least: 1000, format: format.byteRate },
  }),
  new ListCard({
    id: "temperature", title: "Temperatures", topics: ["/sensors"], list: "temperatures",
    thing: ["sensor", "temperature sensors"], absence: "no sensors on this host",
    columns: [{ label: "temperature", field: "celsius" }],
    name: ({ chip, label }) => `${label} (${chip.split("-")[0]})`,
    isUsed: ({ celsius }) => Number.isFinite(celsius),
    summary: ({ hottest_celsius: hottest }) => format.celsius(hottest),
    chart: { least: 50, format: format.celsius },
  }),
  new AgentCard(),
];
$("cards").append(...cards.map(({ root }) => root));

// Rates

const rateName = (topic) => `${topic}.rate_hertz`;
const rates = new Map();  // Hertz by topic, as in effect.
const inputs = new Map();  // By topic.
let refusal = "";  // Why rates cannot be set; "": they can.

for (const card of cards) {
  for (const topic of card.rates) {
    const input = element("input", {
      type: "number", min: 0.001, max: 1000, step: "any", disabled: true, ariaLabel: `rate of ${topic} in hertz`,
    });
    input.addEventListener("change", () => {
      if (input.value !== "") connection.setParameter(rateName(topic), Number(input.value));
      else showRate(topic);
    });
    const label = element("label", { hidden: true }, element("span", { textContent: topic }), input, "Hz");
    label.topic = topic;
    card.controls.append(label);
    inputs.set(topic, input);
  }
}

function showRate(topic) {
  const input = inputs.get(topic);
  input.value = rates.has(topic) ? String(Math.round(rates.get(topic) * 1000) / 1000) : "";
  input.disabled = refusal !== "" || !rates.has(topic);
  input.title = refusal || "samples per second";
}

function showRates() { for (const topic of inputs.keys()) showRate(topic); }

// Notices

function notice(text, level, id) {
  const lines = $("notices");
  for (const line of [...lines.children]) {
    if (line.noticeID === id && id !== undefined || line.textContent === text) line.remove();
  }
  const line = element("p", { textContent: text, className: ["info", "warning", "error"][level] ?? "error" });
  line.noticeID = id;
  lines.append(line);
  // What has an id holds until the agent takes it back.
  if (id === undefined) setTimeout(() => line.remove(), 15_000);
}

// What the agent says

let sessionID;
let lastStamp = 0;  // Seconds since the epoch, by the agent's clock.
let lastStampAt = 0;
let state = "connecting";
let retryAt = 0;
const facts = { uptime: NaN, boot: 0 };

const connection = new Connection(socketURL.href, {
  state(name, seconds) {
    state = name;
    retryAt = performance.now() + seconds * 1000;
    if (name === "connecting") $("notices").replaceChildren();
    showState();
  },
  session({ name, sessionId, capabilities }) {
    if (sessionID !== undefined && sessionID !== sessionId) for (const card of cards) card.clear();
    sessionID = sessionId;
    setName(name);
    refusal = capabilities.includes("clientPublish") ? "" : "This agent is read-only.";
    showRates();
  },
  channels() {
    for (const card of cards) card.offer(connection.channels);
  },
  message(topic, message) {
    const { seconds, nanos } = message.header.stamp;
    const time = seconds + nanos / 1e9;
    if (topic === "/system/info") return showInfo(message);
    if (time > lastStamp || time < lastStamp - 10) [lastStamp, lastStampAt] = [time, performance.now()];
    if (topic === "/system/uptime") return showUptime(message);
    cards.find((card) => card.topics.includes(topic))?.receive(topic, message, time);
  },
  parameters(list) {
    for (const { name, value } of list) {
      const topic = name.replace(/\.rate_hertz$/, "");
      if (!inputs.has(topic) || topic === name) continue;
      if (typeof value === "number") rates.set(topic, value); else rates.delete(topic);
      showRate(topic);
    }
  },
  status({ level, message, id }) {
    if (message.startsWith("Only operators")) {
      refusal = message;
      showRates();
    }
    notice(message, level, id);
  },
  statusGone(ids) {
    for (const line of [...$("notices").children]) if (ids.includes(line.noticeID)) line.remove();
  },
});
connection.watchParameters([...inputs.keys()].map(rateName));

// Nobody looks, nothing is sent.
const look = () => connection.setActive(!document.hidden);
document.addEventListener("visibilitychange", look);
look();
for (const topic of ["/system/info", "/system/uptime"]) connection.want(topic, true);
for (const card of cards) {
  const want = () => { for (const topic of card.topics) connection.want(topic, card.isOpen); };
  card.root.addEventListener("toggle", want);
  want();
}

// The head of the page

function setName(name) {
  $("hostname").textContent = name;
  document.title = `${name} – sysmon-agent`;
}

let infoText = "";

function showInfo(info) {
  infoText = [
    info.os_name, `${info.kernel_name} ${info.kernel_release}`, info.machine,
    `${info.logical_cpus_online} × ${info.cpu_model || "CPU"}`, format.bytes(info.memory_total_bytes), info.container,
  ].filter(Boolean).join(" · ");
  showFacts();
}

function showUptime({ uptime_seconds: seconds }) {
  facts.uptime = seconds;
  showFacts();
}

function showFacts() {
  const uptime = Number.isFinite(facts.uptime) ? `up ${format.duration(facts.uptime)}` : "";
  $("facts").textContent = [infoText, uptime].filter(Boolean).join(" · ");
}

function showState() {
  const seconds = Math.max(0, Math.ceil((retryAt - performance.now()) / 1000));
  $("state").dataset.state = state;
  const text = state === "lost" ? `no connection, again in ${seconds} s` : state;
  if ($("state").textContent !== text) $("state").textContent = text;
}

// Links

function showLinks() {
  const address = encodeURIComponent(socketURL.href);
  const query = `ds=foxglove-websocket&ds.url=${address}`;
  const layout = encodeURIComponent(new URL("layouts/overview.json", location.href).href);
  const base = $("lichtblick-base").value.replace(/\/+$/, "");
  $("foxglove").href = `https://app.foxglove.dev/~/view?${query}`;
  $("foxglove-desktop").href = `foxglove://open?${query}`;
  $("lichtblick-desktop").href = `lichtblick://open?${query}`;
  if (/^https?:\/\//.test(base)) $("lichtblick").href = `${base}/?${query}&layoutUrl=${layout}`;
  else $("lichtblick").removeAttribute("href");
  $("address").textContent = socketURL.href;
  $("token-note").hidden = !location.pathname.startsWith("/t/");
}
$("lichtblick-base").addEventListener("input", showLinks);
showLinks();
addEventListener("click", (event) => { if (!$("open").contains(event.target)) $("open").open = false; });

// Dark and light

const THEMES = ["auto", "light", "dark"];
let theme = "auto";
try { theme = localStorage.getItem("theme") ?? theme; } catch { /* Not allowed here: it is asked for each time. */ }

function showTheme() {
  if (!THEMES.includes(theme)) theme = THEMES[0];
  document.documentElement.dataset.theme = theme;
  $("theme").textContent = `Theme: ${theme}`;
}
$("theme").addEventListener("click", () => {
  theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
  try { localStorage.setItem("theme", theme); } catch { /* As above. */ }
  showTheme();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
showTheme();

// Drawing. A line moves by less than ten pixels a second, and the browser may be on the host that is watched.

const DRAW_MILLISECONDS = 200;
let drawnAt = 0;

function draw(at) {
  requestAnimationFrame(draw);
  if (at - drawnAt < DRAW_MILLISECONDS) return;
  drawnAt = at;
  const now = lastStamp + (performance.now() - lastStampAt) / 1000;
  for (const card of cards) if (card.isOpen && !card.body.hidden) card.plot?.draw(now);
}
requestAnimationFrame(draw);
setInterval(() => {
  showState();
  for (const card of cards) {
    card.tell();
    card.age(state !== "paused" && card.isOpen, (topic) => rates.get(topic));
  }
}, 500);
