/** Times and sizes as people of Shanghai write them, in Chinese or English. */

import { say } from "./labels.js";

export const ZONE = "Asia/Shanghai";
const LOCALES = { zh: "zh-CN", en: "en-GB" };
const DAY = 86400; // seconds
const formats = new Map();

function format(language, options, seconds) {
  const key = language + JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(LOCALES[language], { timeZone: ZONE, ...options }));
  return formats.get(key).format(seconds * 1000);
}

export const time = (seconds) => format("zh", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }, seconds);

export const dayKey = (seconds) => format("zh", { year: "numeric", month: "numeric", day: "numeric" }, seconds);

/** The heading above the messages of a day. */
export function day(language, seconds, now) {
  if (dayKey(seconds) === dayKey(now)) return say(language, "today");
  if (dayKey(seconds) === dayKey(now - DAY)) return say(language, "yesterday");
  return format(language, { month: "long", day: "numeric", weekday: "short" }, seconds);
}

/** The short form in a list: the time today, else the date. */
export function moment(language, seconds, now) {
  return dayKey(seconds) === dayKey(now)
    ? time(seconds)
    : format(language, { month: "short", day: "numeric" }, seconds);
}

export function fullTime(language, seconds) {
  const date = { year: "numeric", month: "short", day: "numeric", weekday: "short" };
  return format(
    language,
    { ...date, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
    seconds,
  );
}

/** A distance in time, the two largest units: "1 天 2 小时". */
export function span(language, seconds) {
  const units = [
    ["days", DAY],
    ["hours", 3600],
    ["minutes", 60],
    ["secondsShort", 1],
  ];
  let rest = Math.round(Math.abs(seconds));
  const parts = units.map(([name, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count && `${count} ${say(language, name)}`;
  });
  return parts.filter(Boolean).slice(0, 2).join(" ") || `${seconds} ${say(language, "secondsShort")}`;
}

export const length = (seconds = 0) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

export function size(bytes = 0) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 / 1024).toFixed(1)} MB`;
}
