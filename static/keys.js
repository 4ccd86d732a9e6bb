// One key a step, for those who want it: never inside a field, never with a modifier, and only while it is switched on.

import { keep, recall } from "./kept.js";
import { say } from "./say.js";

const KEYS = [
  ["j", "next comment"],
  ["k", "previous comment"],
  ["J", "next reply to the same comment"],
  ["K", "previous reply to the same comment"],
  ["p", "the comment that this one answers"],
  ["t", "the comment at the top of this branch"],
  ["o", "fold or unfold"],
  ["n", "next new comment"],
  ["N", "previous new comment"],
  ["/", "search"],
  ["?", "this list"],
];
const FIELDS = "input, select, textarea, [contenteditable], dialog[open], [popover]:popover-open, [role=textbox], [role=menu]";

export function startKeys(thread, tools) {
  const dialog = help();
  const open = document.createElement("button");
  open.type = "button";
  open.className = "linklike";
  open.textContent = "Keyboard shortcuts";
  open.addEventListener("click", () => dialog.showModal());
  tools.append(open);
  const steps = stepsOf(thread, dialog);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest?.(FIELDS) || document.querySelector("dialog[open]") || recall("keys").off) return;
    if (!Object.hasOwn(steps, event.key)) return;
    event.preventDefault();
    steps[event.key]();
  });
}

function help() {
  const dialog = document.createElement("dialog");
  dialog.className = "keys";
  dialog.setAttribute("aria-labelledby", "keys-title");
  const rows = KEYS.map(([key, what]) => `<div><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`).join("");
  dialog.innerHTML = `<h2 id="keys-title">Keyboard shortcuts</h2><dl>${rows}</dl>
<p><label><input type="checkbox"> Single keys do this on this device</label></p>
<form method="dialog"><button class="button main" autofocus>Close</button></form>`;
  const box = dialog.querySelector("input");
  box.checked = !recall("keys").off;
  box.addEventListener("change", () => keep("keys", { off: !box.checked }));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  document.body.append(dialog);
  return dialog;
}

const shown = (item) => !item.parentElement.closest("details:not([open])");
const above = (item) => item.parentElement.closest("li[id^=c]");

/** Put the focus on a comment's head: it is read out, and Tab goes on from there. */
function goTo(item, otherwise) {
  if (!item) return say(otherwise);
  const head = item.querySelector(":scope > .head");
  head.tabIndex = -1;
  head.focus({ preventScroll: true });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  head.scrollIntoView({ block: "nearest", behavior: still ? "instant" : "smooth" });
}

/** The comment that has the focus, or the address names, or that is the first in the window. */
function current(thread, items) {
  const focused = document.activeElement.closest?.("li[id^=c]");
  if (focused && thread.contains(focused)) return [focused, true];
  const named = thread.querySelector("li:target");
  if (named && named.getBoundingClientRect().bottom > 0) return [named, true];
  const first = items.find((item) => item.querySelector(":scope > .head").getBoundingClientRect().top >= 0);
  return [first ?? items.at(-1), false];
}

function stepsOf(thread, dialog) {
  const items = () => [...thread.querySelectorAll("li[id^=c]")].filter(shown);
  const along = (step, wanted, otherwise) => () => {
    const all = items();
    const [here, isThere] = current(thread, all);
    let at = all.indexOf(here) + (isThere || step < 0 ? step : 0);
    while (all[at] && !wanted(all[at])) at += step;
    goTo(all[at], otherwise);
  };
  const from = (find, otherwise) => () => {
    const [here] = current(thread, items());
    if (here) goTo(find(here), otherwise);
  };
  const any = () => true;
  const fresh = (item) => item.classList.contains("new");
  return {
    j: along(1, any, "This is the last comment of the page."),
    k: along(-1, any, "This is the first comment of the page."),
    J: from((here) => here.nextElementSibling, "No further reply to the same comment on this page."),
    K: from((here) => here.previousElementSibling, "No earlier reply to the same comment on this page."),
    p: from(parentOf, "What this comment answers is not on this page."),
    t: from(topOf, ""),
    o: from(toggle, ""),
    n: along(1, fresh, "No further new comment on this page."),
    N: along(-1, fresh, "No earlier new comment on this page."),
    "/": () => document.querySelector("[role=search] input[type=search]")?.focus(),
    "?": () => dialog.showModal(),
  };
}

function parentOf(item) {
  const link = item.querySelector(":scope > .head > .to[href^='#c']");
  return link ? document.getElementById(link.hash.slice(1)) : above(item);
}

function topOf(item) {
  while (above(item)) item = above(item);
  return item;
}

function toggle(item) {
  const details = item.querySelector(":scope > details");
  details.open = !details.open;
  say(details.open ? "Unfolded" : "Folded");
  return item;
}
