// The sections of the page. Each wants topics, and shows what their messages say.
// Whatever a host says becomes text by textContent, never markup.

import { Chart } from "./chart.js";
import * as format from "./format.js";

export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// Lines of a second kind are dashed, so that eight colours are enough.
const COLORS = ["--blue", "--orange", "--green", "--purple", "--red", "--teal", "--brown", "--pink"];
const SHOWN_FIRST = 3;
const ROWS_MAX = 12;

export class Card {
  // `topics`: the first is the one that the section is about, and whose absence is told by `absence`; those of
  // `rates` can be set.
  constructor({ id, title, topics, rates = topics, absence }) {
    Object.assign(this, { id, title, topics, rates, absence, heard: new Map() });
    this.value = element("output", { className: "value", title: "mean of the last second" });
    this.note = element("span", { className: "note" });
    this.body = element("div", { className: "body" });
    this.empty = element("p", { className: "empty", textContent: "waiting for the agent" });
    this.controls = element("div", { className: "rates" });
    this.root = element("details", { className: "card", open: true },
      element("summary", {}, element("h2", { textContent: title }), this.note, this.value),
      this.empty, this.body, this.controls);
    this.root.id = id;
    this.body.hidden = true;
  }

  get isOpen() { return this.root.open; }

  chart(options) {
    return this.plot = new Chart(this.body.appendChild(element("figure")), options);
  }

  // Rows of name and value, side by side.
  facts(names) {
    const list = this.body.appendChild(element("dl"));
    return names.map((name) => {
      const value = element("dd", { textContent: "–" });
      list.append(element("div", {}, element("dt", { textContent: name }), value));
      return value;
    });
  }

  legend(...series) {
    const list = this.body.appendChild(element("p", { className: "legend" }));
    for (const { label, color, isDashed } of series) list.append(key(label, color, isDashed));
  }

  // What is or is not there, once the server has said so.
  offer(channels) {
    const isThere = channels.has(this.topics[0]);
    if (channels.size === 0) this.empty.textContent = "waiting for the agent";
    else if (isThere) this.empty.textContent = "waiting for the first message";
    else {
      this.empty.textContent = this.absence;
      this.value.textContent = "";
      this.heard.clear();
    }
    this.root.classList.toggle("absent", !isThere && channels.size > 0);
    this.body.hidden = this.heard.size === 0;
    this.empty.hidden = !this.body.hidden;
    for (const control of this.controls.children) control.hidden = !channels.has(control.topic);
  }

  receive(topic, message, time) {
    const { interval_seconds: interval } = message.header;
    const isFirst = !this.heard.has(topic);
    this.heard.set(topic, { at: performance.now(), message });
    // Twice what a message covers, and a little for what it takes on its way.
    this.draw(topic, message, time, 2.5 * (interval > 0 ? interval : 1) + 0.5);
    if (isFirst) this.tell();
  }

  // Puts what was heard last into words; done seldom enough to be read.
  tell() {
    if (this.heard.size === 0) return;
    this.body.hidden = false;
    this.empty.hidden = true;
    for (const [topic, { message }] of this.heard) this.show(topic, message);
  }

  // What each section does with a message: into the chart at once, into words now and then.
  draw() {}
  show() {}

  // Marks what is older than it should be. `rateOf` tells the rate of a topic, in hertz, if it is known.
  age(isExpected, rateOf) {
    const last = this.heard.get(this.topics[0]);
    const seconds = last ? (performance.now() - last.at) / 1000 : 0;
    const isStale = isExpected && last !== undefined && seconds > 2 + 3 / (rateOf(this.topics[0]) || 1);
    this.root.classList.toggle("stale", isStale);
    this.note.textContent = isStale ? `no data for ${format.duration(seconds)}` : "";
  }

  clear() { this.plot?.clear(); }
}

export class CPUCard extends Card {
  constructor() {
    super({
      id: "cpu", title: "CPU", topics: ["/cpu", "/cpu/cores", "/load"], rates: ["/cpu", "/cpu/cores"],
      absence: "no processor statistics on this host",
    });
    const chart = this.chart({ top: 1, format: format.percent });
    this.usage = chart.addSeries("busy", "--blue", { isFilled: true });
    this.system = chart.addSeries("kernel", "--orange");
    this.iowait = chart.addSeries("waiting for disks", "--red");
    this.legend(this.usage, this.system, this.iowait);
    this.cores = this.body.appendChild(element("div", { className: "cores" }));
    this.cores.setAttribute("role", "img");
    [this.user, this.steal, this.load] = this.facts(["programs", "stolen by the hypervisor", "load 1, 5, 15 min"]);
    this.bars = new Map();
  }

  draw(topic, message, time, gap) {
    if (topic !== "/cpu") return;
    Chart.add(this.usage, time, message.usage_ratio, gap);
    Chart.add(this.system, time, message.system_ratio, gap);
    Chart.add(this.iowait, time, message.iowait_ratio, gap);
  }

  show(topic, message) {
    if (topic === "/load") {
      this.load.textContent = [message.load1, message.load5, message.load15].map(format.plain).join("  ");
      return;
    }
    if (topic === "/cpu/cores") return this.showCores(message.cores);
    this.value.textContent = format.percent(Chart.mean(this.usage));
    this.user.textContent = format.percent(message.user_ratio + message.nice_ratio);
    this.steal.textContent = format.percent(message.steal_ratio);
  }

  showCores(cores) {
    const ids = new Set(cores.map(({ id }) => id));
    for (const [id, bar] of this.bars) {
      if (ids.has(id)) continue;
      bar.remove();
      this.bars.delete(id);
    }
    this.cores.classList.toggle("many", cores.length > 16);
    const hasText = cores.length <= 4;
    this.cores.setAttribute("aria-label", `${cores.length} cores`);
    for (const { id, usage_ratio: ratio } of cores) {
      let bar = this.bars.get(id);
      if (!bar) {
        bar = element("div", { className: "core" }, element("i"), element("span"));
        this.bars.set(id, bar);
        this.cores.append(bar);
      }
      bar.title = `core ${id}: ${format.percent(ratio)}`;
      bar.lastChild.textContent = hasText ? bar.title : id;
      bar.style.setProperty("--part", Number.isFinite(ratio) ? ratio : 0);
    }
  }
}

export class MemoryCard extends Card {
  constructor() {
    super({
      id: "memory", title: "Memory", topics: ["/memory"], absence: "no memory statistics on this host",
    });
    const chart = this.chart({ top: 1, format: format.percent });
    this.used = chart.addSeries("used", "--purple", { isFilled: true });
    this.swapped = chart.addSeries("swap", "--orange");
    this.legend(this.used, this.swapped);
    [this.usedBytes, this.available, this.cache, this.swap] =
      this.facts(["used", "available", "files in memory", "swap"]);
  }

  draw(topic, message, time, gap) {
    Chart.add(this.used, time, message.used_ratio, gap);
    Chart.add(this.swapped, time, message.swap_used_ratio, gap);
  }

  show(topic, message) {
    this.value.textContent = format.percent(message.used_ratio);
    this.usedBytes.textContent = `${format.bytes(message.used_bytes)} of ${format.bytes(message.total_bytes)}`;
    this.available.textContent = format.bytes(message.available_bytes);
    this.cache.textContent = format.bytes(message.page_cache_bytes);
    this.swap.textContent = message.swap_total_bytes > 0
      ? `${format.bytes(message.swap_used_bytes)} of ${format.bytes(message.swap_total_bytes)}` : "none";
  }
}

// A list of things with one or two lines each; a row shows or hides its lines.
export class ListCard extends Card {
  // `list` is the field, `columns` have label and field, `isUsed(entry)` keeps what never did anything off the list,
  // `name(entry)` and `summary(message, rows)` make text.
  constructor({ list, columns, isUsed, name = ({ id }) => id, isDull = () => false, summary, thing, chart, ...card }) {
    super(card);
    Object.assign(this, { list, columns, isUsed, name, isDull, summary, thing, rows: new Map() });
    this.chart(chart);
    this.format = chart.format;
    const heads = columns.map(({ label }, index) =>
      element("th", { scope: "col" }, columns.length > 1 ? key(label, "--faint", index > 0) : label));
    this.table = element("tbody");
    this.body.append(element("table", {},
      element("thead", {}, element("tr", {}, element("th", { textContent: thing[0], scope: "col" }), ...heads)),
      this.table));
    this.rest = this.body.appendChild(element("p", { className: "rest" }));
  }

  draw(topic, message, time, gap) {
    const entries = message[this.list];
    const ids = new Set(entries.map(({ id }) => id));
    for (const [id, row] of this.rows) if (!ids.has(id)) this.removeRow(id, row);
    for (const entry of entries) {
      const row = this.rows.get(entry.id) ?? (this.isUsed(entry) ? this.addRow(entry) : undefined);
      this.columns.forEach(({ field }, index) => row && Chart.add(row.series[index], time, entry[field], gap));
    }
  }

  show(topic, message) {
    for (const row of this.rows.values()) {
      row.means = row.series.map(Chart.mean);
      row.cells.forEach((cell, index) => { cell.textContent = this.format(row.means[index]); });
    }
    const { length } = message[this.list];
    const hidden = length - this.rows.size;
    this.rest.textContent = hidden > 0 ? `${hidden} ${this.rows.size < ROWS_MAX ? "idle so far" : "more"}` : "";
    if (length === 0) this.rest.textContent = `no ${this.thing[1]} on this host`;
    this.value.textContent = this.summary(message, [...this.rows.values()]);
  }

  addRow(entry) {
    if (this.rows.size >= ROWS_MAX) return undefined;
    const taken = new Set([...this.rows.values()].map(({ color }) => color));
    const color = COLORS.find((name) => !taken.has(name)) ?? COLORS[this.rows.size % COLORS.length];
    const shownCount = [...this.rows.values()].filter(({ isShown }) => isShown).length;
    const label = this.name(entry);
    const cells = this.columns.map(() => element("td", { className: "number" }));
    const button = element("button", { type: "button", title: "show or hide its lines" }, key(label, color));
    const line = element("tr", {}, element("th", { scope: "row" }, button), ...cells);
    const series = this.columns.map(({ label: column }, index) => ({
      label: this.columns.length > 1 ? `${label} ${column}` : label, color, isDashed: index > 0, points: [],
    }));
    const row = { id: entry.id, line, cells, button, series, color, means: [], isShown: false };
    button.addEventListener("click", () => this.toggle(row));
    this.rows.set(entry.id, row);
    this.table.append(line);
    button.ariaPressed = "false";
    if (shownCount < SHOWN_FIRST && !this.isDull(entry)) this.toggle(row);
    return row;
  }

  toggle(row) {
    row.isShown = !row.isShown;
    row.button.ariaPressed = String(row.isShown);
    for (const series of row.series) if (row.isShown) this.plot.series.push(series); else this.plot.remove(series);
  }

  removeRow(id, row) {
    row.line.remove();
    for (const series of row.series) this.plot.remove(series);
    this.rows.delete(id);
  }

  clear() { for (const { series } of this.rows.values()) for (const line of series) line.points = []; }
}

export class AgentCard extends Card {
  constructor() {
    super({ id: "agent", title: "This agent", topics: ["/agent"], absence: "the agent does not tell of itself" });
    [this.clients, this.subscriptions, this.messages, this.sent, this.lost, this.cpu, this.memory, this.errors] =
      this.facts(["clients", "subscriptions", "messages per second", "sent", "lost by slow clients", "CPU of one core",
        "memory", "failed samples"]);
  }

  show(topic, message) {
    const { clients, messages_dropped_total: lost } = message;
    this.value.textContent = `${clients} ${clients === 1 ? "client" : "clients"}`;
    this.clients.textContent = format.count(clients);
    this.subscriptions.textContent = format.count(message.subscriptions);
    this.messages.textContent = format.plain(message.messages_per_second);
    this.sent.textContent = format.byteRate(message.sent_bytes_per_second);
    this.lost.textContent = format.count(lost);
    this.lost.classList.toggle("bad", lost > 0);
    this.cpu.textContent = format.percent(message.cpu_ratio);
    this.memory.textContent = format.bytes(message.resident_bytes);
    const failed = message.collectors.reduce((sum, { errors_total: count }) => sum + count, 0);
    this.errors.textContent = format.count(failed);
    this.errors.classList.toggle("bad", failed > 0);
  }
}

function key(label, color, isDashed = false) {
  const made = element("span", { className: isDashed ? "key dashed" : "key", textContent: label });
  made.style.setProperty("--color", `var(${color})`);
  return made;
}
