// Folding: remembered for each article, by level, by a click on a thread's line; what is not here yet is brought.

import { keep, recall } from "./kept.js";
import { say } from "./say.js";

const FOLDED = 500; // comments of one article whose folding is remembered, the latest
let timer = 0;

const own = (item) => item.querySelector(":scope > details");
const items = (thread) => thread.querySelectorAll("li[id^=c]");

function levelOf(item) {
  let level = 1;
  for (let at = item; (at = at.parentElement.closest("li[id^=c]")); ) level += 1;
  return level;
}

/** ``arrived`` is called with each part of the thread that is brought in later. */
export function startFolding(thread, tools, arrived) {
  const name = `article:${thread.dataset.article}`;
  const kept = recall(name).folded;
  const folded = new Set(Array.isArray(kept) ? kept : []);
  const apply = (part) => {
    for (const item of items(part)) if (folded.has(item.id)) own(item).open = false;
  };
  apply(thread);
  thread.addEventListener("toggle", (event) => remember(event.target, folded, name), true);
  thread.addEventListener("click", (event) => {
    if (event.target.matches("details > ol")) fold(event.target.closest("li[id^=c]")); // a line was clicked
    const link = event.target.closest(".rest a");
    if (!link || link.dataset.failed || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button) return;
    event.preventDefault();
    bring(link, (part) => {
      apply(part);
      arrived(part);
    });
  });
  addLevels(thread, tools);
}

function fold(item) {
  own(item).open = false;
  item.querySelector(":scope > .head").scrollIntoView({ block: "nearest" });
}

/** Unfolding all levels at once is many toggles and one thing to keep. */
function remember(details, folded, name) {
  const item = details.parentElement;
  if (!item.id || details !== own(item) || details.open !== folded.has(item.id)) return;
  folded.delete(item.id);
  if (!details.open) folded.add(item.id);
  clearTimeout(timer);
  timer = setTimeout(() => keep(name, { ...recall(name), folded: [...folded].slice(-FOLDED) }));
}

function addLevels(thread, tools) {
  const deepest = Math.max(0, ...[...items(thread)].map(levelOf));
  if (deepest < 2) return;
  const label = document.createElement("label");
  const select = document.createElement("select");
  for (let level = 1; level < deepest; level++) {
    select.add(new Option(level === 1 ? "top level only" : `${level} levels`, level));
  }
  select.add(new Option("all levels", deepest, true, true));
  label.append("Unfold ", select);
  tools.append(label);
  select.addEventListener("change", () => {
    for (const item of items(thread)) own(item).open = levelOf(item) <= Number(select.value);
  });
}

/** The replies that the server left out, in the place of the link to them. */
async function bring(link, arrived) {
  const place = link.closest(".rest");
  if (place.getAttribute("aria-busy") === "true") return;
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(link.href, { headers: { "HX-Request": "true" } });
    if (!answer.ok) throw new Error(String(answer.status));
    const holder = document.createElement("template");
    holder.innerHTML = await answer.text(); // our own server's, safe as the page itself
    if (holder.content.querySelector("main")) throw new Error("a page, and not a part of one");
    const first = holder.content.querySelector(".head");
    const parent = place.parentElement;
    place.replaceWith(holder.content);
    joinLists(parent);
    arrived(parent);
    if (first) {
      first.tabIndex = -1;
      first.focus();
    }
  } catch {
    place.removeAttribute("aria-busy");
    say("These replies could not be brought here. The link leads to them.");
    link.dataset.failed = "true"; // pressed again, it is a link
  }
}

/** Replies that arrive go on with the list that was there. */
function joinLists(details) {
  const [first, ...others] = details.querySelectorAll(":scope > ol");
  for (const list of others) {
    first.append(...list.children);
    list.remove();
  }
}
