// What is new since a reader was here last, or since a day they choose. Only their own browser knows when that was.

import { keep, recall } from "./kept.js";

const VISIT = 2 * 60 * 60 * 1000; // milliseconds without a page of the thread, after which the next is another visit
const DAY = 24 * 60 * 60 * 1000;

const told = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const numberOf = (item) => Number(item.id.slice(1));
const dayOf = (item) => {
  const time = item.querySelector(":scope > .head > time");
  return time ? Math.floor(Date.parse(time.dateTime) / DAY) : NaN;
};

export function startSince(thread, tools) {
  const visit = thisVisit(thread);
  const line = document.createElement("p");
  line.className = "since";
  tools.append(line);
  let whole = null; // what is said of the other pages
  let isNew = (item) => visit.before && numberOf(item) > visit.before.newest;
  let when = visit.before && `since your visit on ${told.format(visit.before.at)}`;

  const mark = () => {
    let count = 0;
    for (const item of thread.querySelectorAll("li[id^=c]")) {
      const fresh = Boolean(isNew(item)) && !item.matches(".context, :has(> details > .gone)");
      item.classList.toggle("new", fresh);
      badge(item, fresh);
      count += fresh;
    }
    line.textContent = when ? `${count || "Nothing"} new on this page ${when}` : "";
    line.hidden = !when;
    if (whole) line.append("; ", whole);
    return count;
  };
  addSlider(thread, tools, (day) => {
    whole = null;
    isNew = (item) => dayOf(item) >= day;
    when = `since ${told.format(day * DAY)}`;
    mark();
    return line.textContent;
  });
  const here = mark();
  if (visit.before && visit.newest > visit.before.newest) {
    const asked = when;
    askOfAll(thread, visit.before.newest, here).then((words) => {
      if (when !== asked) return; // a day was chosen meanwhile
      whole = words;
      mark();
    });
  }
  return { mark };
}

const isVisit = (kept) => Number.isFinite(kept?.at) && Number.isFinite(kept?.newest);

/** This visit and the one before it; pages of a thread that are read one soon after the other are one visit. */
function thisVisit(thread) {
  const name = `article:${thread.dataset.article}`;
  const kept = recall(name);
  const now = Date.now();
  const last = [kept.at && now - kept.at > VISIT ? kept : kept.before].find(isVisit);
  const before = last && { at: last.at, newest: last.newest };
  const newest = Number(thread.dataset.newest);
  const visit = { ...kept, before };
  if (newest) keep(name, Object.assign(visit, { at: now, newest })); // a page of one comment is no visit of the thread
  return visit;
}

/** How much is new in the whole thread, where that is more than on this page: only the archive can count it. */
async function askOfAll(thread, after, here) {
  try {
    const { count, more, first } = await (await fetch(`${thread.dataset.new}?after=${after}`)).json();
    if (count <= here) return null;
    const words = document.createElement("span");
    const link = document.createElement("a");
    link.href = first;
    link.textContent = "the first of them";
    words.append(`${more ? "more than " : ""}${count.toLocaleString("en-GB")} in all: `, link);
    return words;
  } catch {
    return null; // what the page says of itself stands
  }
}

function badge(item, fresh) {
  const head = item.querySelector(":scope > .head");
  const old = head.querySelector(":scope > .fresh");
  if (old) old.hidden = !fresh;
  if (old || !fresh) return;
  const words = document.createElement("span");
  words.className = "fresh";
  words.textContent = "new";
  head.querySelector(".who").after(" ", words);
}

function addSlider(thread, tools, choose) {
  const days = [...new Set([...thread.querySelectorAll("li[id^=c]:not(.context)")].map(dayOf))];
  const dated = days.filter((day) => !Number.isNaN(day)).sort((one, other) => one - other);
  if (dated.length < 2) return;
  const label = document.createElement("label");
  const slider = document.createElement("input");
  const value = document.createElement("span");
  Object.assign(slider, { type: "range", min: 0, max: dated.length - 1, step: 1, value: 0 });
  const only = document.createElement("a");
  only.textContent = "Only these";
  only.hidden = true;
  label.append("New since ", slider, " ", value);
  label.className = "slider";
  const tell = (words) => {
    value.textContent = words;
    slider.setAttribute("aria-valuetext", words);
  };
  tell(told.format(dated[0] * DAY));
  slider.addEventListener("input", () => {
    const day = dated[slider.valueAsNumber];
    const words = choose(day);
    tell(told.format(day * DAY));
    slider.setAttribute("aria-valuetext", words);
    only.href = `?since=${new Date(day * DAY).toISOString().slice(0, 10)}#discussion`;
    only.hidden = false;
  });
  tools.append(label, only);
}
