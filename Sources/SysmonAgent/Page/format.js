// Numbers as text. What is not known is a dash; between a number and its unit no line is broken.

const UNKNOWN = "–";
const SPACE = "\u00a0";

function scaled(value, base, units) {
  if (!Number.isFinite(value)) return UNKNOWN;
  let index = 0;
  // 999.5 would be shown with four digits.
  while (Math.abs(value) >= base * 0.9995 && index < units.length - 1) {
    value /= base;
    index++;
  }
  return `${digits(value)}${SPACE}${units[index]}`;
}

// Three of them.
function digits(value) {
  const magnitude = Math.abs(value);
  return value.toFixed(magnitude === 0 || magnitude >= 99.95 ? 0 : magnitude >= 9.995 ? 1 : 2);
}

export const bytes = (value) => scaled(value, 1024, ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]);
export const byteRate = (value) => scaled(value, 1000, ["B/s", "kB/s", "MB/s", "GB/s", "TB/s"]);
export const percent = (ratio) => withUnit(ratio * 100, ratio < 0.0995 ? 1 : 0, "%");
export const celsius = (value) => withUnit(value, 1, "°C");
export const count = (value) => Number.isFinite(value) ? value.toLocaleString("en").replaceAll(",", "\u202f") : UNKNOWN;
export const plain = (value) => Number.isFinite(value) ? digits(value) : UNKNOWN;

function withUnit(value, decimals, unit) {
  return Number.isFinite(value) ? `${value.toFixed(decimals)}${SPACE}${unit}` : UNKNOWN;
}

export function duration(seconds) {
  if (!Number.isFinite(seconds)) return UNKNOWN;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)} s`;
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes % 60} min` : `${minutes} min ${Math.floor(seconds) % 60} s`;
}
