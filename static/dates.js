// "9 years ago" beside the date. The date itself stays, as the server wrote it.

const UNITS = [
  ["year", 31_557_600],
  ["month", 2_629_800],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** How long before ``now`` a moment was, both in milliseconds; the largest unit of which at least one has passed. */
export function ago(then, now = Date.now()) {
  const seconds = (then - now) / 1000;
  const [unit, length] = UNITS.find(([, length]) => Math.abs(seconds) >= length) ?? ["second", 1];
  return relative.format(Math.trunc(seconds / length), unit);
}

export function tellFromToday(within) {
  for (const time of within.querySelectorAll(".head time, .meta time")) {
    const then = Date.parse(time.dateTime);
    if (Number.isNaN(then) || time.nextElementSibling?.className === "ago") continue;
    const words = document.createElement("span");
    words.className = "ago";
    words.textContent = ago(then);
    time.after(words);
  }
}
