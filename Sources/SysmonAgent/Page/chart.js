// A line chart over the last minute. One of our own, since the page may load nothing from elsewhere
// (Content-Security-Policy), and this is all that it needs.

const SECONDS = 60;
const MARGIN = { left: 66, right: 10, top: 10, bottom: 22 };
// Points that are closer than a pixel or so become one: the greater, so that no peak is lost.
const CLOSEST_SECONDS = SECONDS / 2000;

export class Chart {
  // `top` is the end of the scale; without it, it follows the values, and is `least` at least. `format` makes text of
  // values.
  constructor(figure, { top, least = 1, format }) {
    this.canvas = figure.appendChild(document.createElement("canvas"));
    this.readout = figure.appendChild(document.createElement("div"));
    this.readout.className = "readout";
    this.readout.hidden = true;
    Object.assign(this, { top, least, format, series: [], cursor: null, now: 0 });
    this.canvas.addEventListener("pointermove", (event) => this.#point(event.offsetX));
    this.canvas.addEventListener("pointerdown", (event) => this.#point(event.offsetX));
    this.canvas.addEventListener("pointerleave", () => this.#point(null));
    new ResizeObserver(() => this.draw(this.now)).observe(this.canvas);
  }

  // `color` is the name of a CSS variable. A time and a value are added with `Chart.add`.
  addSeries(label, color, { isDashed = false, isFilled = false } = {}) {
    const series = { label, color, isDashed, isFilled, points: [] };
    this.series.push(series);
    return series;
  }

  remove(series) { this.series = this.series.filter((other) => other !== series); }

  clear() { for (const series of this.series) series.points = []; }

  // `gap`: longer than so many seconds without a value, and the line is broken.
  static add({ points }, time, value, gap) {
    const last = points.at(-1);
    if (last && time <= last.time) return;
    if (last && time - last.time > gap) points.push({ time: last.time + gap / 2, value: NaN });
    if (last && time - last.time < CLOSEST_SECONDS && value > last.value) last.value = value;
    else if (!last || time - last.time >= CLOSEST_SECONDS) points.push({ time, value });
    const first = points.findIndex((point) => point.time >= time - SECONDS - 2);
    // Not each time, as that moves all the others.
    if (first > 64) points.splice(0, first - 1);
  }

  // Of the last second: what changes many times a second cannot be read as text.
  static mean({ points }) {
    const end = points.at(-1)?.time;
    let [sum, count] = [0, 0];
    for (let index = points.length - 1; index >= 0 && points[index].time > end - 1; index--) {
      if (!Number.isFinite(points[index].value)) continue;
      sum += points[index].value;
      count++;
    }
    return count > 0 ? sum / count : NaN;
  }

  draw(now) {
    this.now = now;
    const { canvas } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (width === 0) return;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const style = getComputedStyle(canvas);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const plot = {
      left: MARGIN.left, right: width - MARGIN.right, top: MARGIN.top, bottom: height - MARGIN.bottom,
    };
    const top = this.top ?? this.#scale(now);
    const x = (time) => plot.right - (now - time) / SECONDS * (plot.right - plot.left);
    const y = (value) => plot.bottom - value / top * (plot.bottom - plot.top);
    this.#drawAxes(context, plot, top, x, y, now, style);
    context.save();
    context.beginPath();
    context.rect(plot.left, plot.top - 2, plot.right - plot.left, plot.bottom - plot.top + 4);
    context.clip();
    for (const series of this.series) this.#drawSeries(context, series, x, y, style);
    context.restore();
    this.#drawCursor(context, plot, x, y, style);
  }

  // The smallest of 1, 2, 5 times a power of ten that holds all values.
  #scale(now) {
    let largest = this.least;
    for (const { points } of this.series) {
      for (const { time, value } of points) if (time >= now - SECONDS && value > largest) largest = value;
    }
    const decade = 10 ** Math.floor(Math.log10(largest));
    return [1, 2, 5, 10].find((step) => step * decade >= largest * 0.999) * decade;
  }

  #drawAxes(context, plot, top, x, y, now, style) {
    context.font = `11px ${style.fontFamily}`;
    context.fillStyle = style.getPropertyValue("--faint");
    context.strokeStyle = style.getPropertyValue("--line");
    context.lineWidth = 1;
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (let step = 0; step <= 4; step++) {
      const level = Math.round(y(top * step / 4)) + 0.5;
      context.beginPath();
      context.moveTo(plot.left, level);
      context.lineTo(plot.right, level);
      context.stroke();
      // Round numbers need no digits behind the point.
      const label = this.format(top * step / 4).replace(/\.0+(?=\s)/, "");
      if (step % 2 === 0) context.fillText(label, plot.left - 8, level);
    }
    context.textBaseline = "bottom";
    for (let seconds = 0; seconds <= SECONDS; seconds += 15) {
      context.textAlign = seconds === 0 ? "right" : seconds === SECONDS ? "left" : "center";
      context.fillText(seconds === 0 ? "now" : `−${seconds} s`, x(now - seconds), plot.bottom + 20);
    }
  }

  #drawSeries(context, { points, color, isDashed, isFilled }, x, y, style) {
    context.strokeStyle = style.getPropertyValue(color);
    context.fillStyle = style.getPropertyValue(color);
    context.lineWidth = 1.5;
    context.lineJoin = "round";
    context.setLineDash(isDashed ? [4, 3] : []);
    for (let start = 0; start < points.length;) {
      let end = start;
      while (end < points.length && Number.isFinite(points[end].value)) end++;
      if (end > start) {
        context.beginPath();
        for (let index = start; index < end; index++) context.lineTo(x(points[index].time), y(points[index].value));
        context.stroke();
        if (isFilled) {
          context.lineTo(x(points[end - 1].time), y(0));
          context.lineTo(x(points[start].time), y(0));
          context.globalAlpha = 0.13;
          context.fill();
          context.globalAlpha = 1;
        }
      }
      start = end + 1;
    }
    context.setLineDash([]);
  }

  // MARK: What is under the pointer

  #point(offset) {
    this.cursor = offset;
    this.draw(this.now);
  }

  #drawCursor(context, plot, x, y, style) {
    const { cursor, readout } = this;
    const isInside = cursor !== null && cursor >= plot.left && cursor <= plot.right;
    const time = this.now - (plot.right - cursor) / (plot.right - plot.left) * SECONDS;
    const rows = isInside ? this.series.map((series) => ({ series, point: nearest(series.points, time) })) : [];
    const known = rows.filter(({ point }) => point && Math.abs(point.time - time) < 2 && Number.isFinite(point.value));
    readout.hidden = known.length === 0;
    if (readout.hidden) return;
    context.strokeStyle = style.getPropertyValue("--faint");
    context.beginPath();
    context.moveTo(Math.round(cursor) + 0.5, plot.top);
    context.lineTo(Math.round(cursor) + 0.5, plot.bottom);
    context.stroke();
    for (const { series, point } of known) {
      context.fillStyle = style.getPropertyValue(series.color);
      context.beginPath();
      context.arc(x(point.time), y(point.value), 3, 0, 7);
      context.fill();
    }
    const seconds = (time - this.now).toFixed(1).replace("-", "−");
    readout.replaceChildren(line(`${seconds} s`), ...known.map(({ series, point }) =>
      line(series.label, this.format(point.value), series)));
    const isLeft = cursor > (plot.left + plot.right) / 2;
    readout.style.left = isLeft ? "auto" : `${cursor + 12}px`;
    readout.style.right = isLeft ? `${this.canvas.clientWidth - cursor + 12}px` : "auto";
  }
}

function nearest(points, time) {
  let best;
  for (const point of points) if (!best || Math.abs(point.time - time) < Math.abs(best.time - time)) best = point;
  return best;
}

function line(label, value = "", series = undefined) {
  const row = document.createElement("div");
  const [name, number] = [document.createElement("span"), document.createElement("b")];
  name.textContent = label;
  number.textContent = value;
  if (series) {
    name.className = series.isDashed ? "key dashed" : "key";
    name.style.setProperty("--color", `var(${series.color})`);
  }
  row.append(name, number);
  return row;
}
