// The review page. The server owns the structure; this draws it, and redraws only what an answer says has changed.
// Every text comes from the page's own list of lines, so that nothing here could alter the source.

import { keep, recall } from "./kept.js";

const root = document.querySelector("#review");
const $ = (id) => document.getElementById(id);
const source = $("source");
const thread = $("thread");
const said = $("said");
const state = JSON.parse($("review-data").textContent);
const total = Math.max(state.open.asked, 1);
const token = $("token").elements.csrfmiddlewaretoken.value;

// The lines, in order. What is drawn is remembered, so that drawing the same again touches nothing.
const lines = [...source.children].map((el, index) => ({
  at: Number(el.id.slice(1)), el, index, number: el.children[0].textContent, text: el.children[1].textContent,
  what: el.children[2], drawn: "", label: "", owner: null,
}));
const lineAt = new Map(lines.map((line) => [line.at, line]));
const comments = new Map(Object.entries(state.comments).map(([at, comment]) => [Number(at), comment]));
const items = new Map(); // comment -> what is drawn of it at the right
let order = [];
let here = lines[0];
let anchor = null; // where a selection of lines begins; it ends at the marked one
let selecting = false; // whether a touch extends the selection
let target = null; // while picking: the comment that would be answered
let lastAsked = null;
let queue = Promise.resolve();

root.classList.add("ready");
source.setAttribute("role", "listbox");
source.setAttribute("aria-multiselectable", "true");
for (const { el } of lines) el.setAttribute("role", "option");
const article = document.createElement("div");
article.className = "article";
const list = document.createElement("ol");
thread.append(article, list);

/* What follows from the structure */

function derive() {
  const parts = new Map([[null, []]]);
  let owner = null;
  for (const line of lines) {
    const kind = state.lines[line.at];
    if (kind === "start") parts.set((owner = line.at), []);
    line.owner = kind === "out" ? null : owner;
    if (kind !== "out") parts.get(owner).push(line);
  }
  const below = new Map();
  for (const at of parts.keys()) {
    if (at === null) continue;
    const parent = comments.get(at).parent;
    if (!below.has(parent)) below.set(parent, []);
    below.get(parent).push(at);
  }
  const arranged = [];
  const waiting = [...(below.get(null) ?? [])].reverse().map((at) => [at, 0]);
  while (waiting.length) {
    const [at, depth] = waiting.pop();
    arranged.push({ at, depth, lines: parts.get(at) });
    const replies = below.get(at) ?? [];
    for (let i = replies.length - 1; i >= 0; i--) waiting.push([replies[i], depth + 1]);
  }
  return { arranged, parts };
}

// Neighbours in the source never share a hue; a new comment takes one that is free, and no other changes for it.
const hues = new Map();
function tint(parts) {
  const inSource = [...parts.keys()].filter((at) => at !== null);
  inSource.forEach((at, i) => {
    const before = hues.get(inSource[i - 1]);
    const after = hues.get(inSource[i + 1]);
    const own = hues.get(at);
    if (own === undefined || own === before) {
      hues.set(at, [0, 1, 2].find((hue) => hue !== before && hue !== after) ?? 0);
    }
  });
}

const percent = (confidence) => (confidence === null ? "?" : `${Math.max(1, Math.min(99, Math.round(confidence * 100)))} %`);
const place = (part) => {
  const [first, last] = [part[0].number, part[part.length - 1].number];
  return first === last ? `line ${first}` : `lines ${first}–${last}`;
};

/* Drawing */

function draw() {
  const { arranged, parts } = derive();
  tint(parts);
  for (const line of lines) drawLine(line);
  drawArticle(parts.get(null));
  for (const item of arranged) drawItem(item, parts);
  for (const at of [...items.keys()]) {
    if (!parts.has(at)) {
      items.get(at).el.remove();
      items.delete(at);
    }
  }
  reorder(arranged.map((item) => items.get(item.at).el));
  order = arranged;
  drawCounts();
  mark(here);
}

function drawLine(line) {
  const kind = state.lines[line.at];
  const comment = kind === "start" ? comments.get(line.at) : null;
  const gone = line.text && line.el.classList.contains("gone") ? " gone" : "";
  const hue = line.owner === null ? "" : ` h${hues.get(line.owner)}`;
  const drawn = kind + hue + (comment?.asked ? " asked" : "") + gone;
  if (drawn !== line.drawn) line.el.className = line.drawn = drawn;
  const words = { art: "article", more: "", out: "left out" }[kind] ?? (comment.asked ? `comment, ${percent(comment.asked[1])}` : "comment");
  if (words !== line.label) line.what.textContent = line.label = words;
}

let articleDrawn = "";
function drawArticle(part) {
  const key = part.map((line) => line.at).join();
  if (key === articleDrawn) return;
  articleDrawn = key;
  article.replaceChildren(...part.map((line) => paragraph(line.text)));
}

function paragraph(text) {
  const p = document.createElement("p");
  p.dir = "auto";
  p.textContent = text;
  return p;
}

function drawItem({ at, depth, lines: part }, parts) {
  let item = items.get(at);
  if (!item) items.set(at, (item = newItem(at)));
  const comment = comments.get(at);
  const text = part.map((line) => line.at).join();
  if (text !== item.text) {
    item.text = text;
    item.body.replaceChildren(...part.map((line) => paragraph(line.text)));
  }
  const answers = comment.parent === null ? "" : `answers ${place(parts.get(comment.parent))}`;
  const doubt = comment.asked ? `${comment.asked[0] === "start" ? "start" : comment.parent === null ? "top level" : "reply"}, ${percent(comment.asked[1])}` : "";
  const head = [place(part), comment.author ?? "author unknown", comment.date ?? "", answers, doubt];
  head.forEach((words, i) => {
    if (item.head[i].textContent !== words) item.head[i].textContent = words;
  });
  if (depth !== item.depth) {
    item.el.style.setProperty("--depth", (item.depth = depth));
    item.el.setAttribute("aria-level", depth + 1);
  }
  const drawn = `h${hues.get(at)}${comment.author ? "" : " nameless"}${comment.asked ? " asked" : ""}${comment.settled ? " settled" : ""}`;
  if (drawn !== item.drawn) item.el.className = item.drawn = drawn;
}

function newItem(at) {
  const el = document.createElement("li");
  el.dataset.at = at;
  const head = ["button", "b", "span", "span", "span"].map((tag) => document.createElement(tag));
  head[0].type = "button";
  head[0].className = "place";
  head.forEach((part, i) => i && (part.className = ["", "who", "when", "to", "doubt"][i]));
  const bar = document.createElement("div");
  bar.className = "head";
  bar.append(...head);
  const body = document.createElement("div");
  body.className = "body";
  el.append(bar, body);
  return { el, head, body, text: null, depth: null, drawn: "" };
}

// Moves as few items as possible: those outside of the longest run that is in order already.
function reorder(wanted) {
  const now = new Map([...list.children].map((el, i) => [el, i]));
  const kept = longestRun(wanted.map((el) => now.get(el) ?? -1));
  let before = null;
  for (let i = wanted.length - 1; i >= 0; i--) {
    if (!kept.has(i)) list.insertBefore(wanted[i], before);
    before = wanted[i];
  }
}

function longestRun(places) {
  const tails = [];
  const previous = new Array(places.length).fill(-1);
  places.forEach((value, i) => {
    if (value < 0) return;
    let low = 0;
    let high = tails.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (places[tails[middle]] < value) low = middle + 1;
      else high = middle;
    }
    previous[i] = low ? tails[low - 1] : -1;
    tails[low] = i;
  });
  const run = new Set();
  for (let i = tails.at(-1) ?? -1; i >= 0; i = previous[i]) run.add(i);
  return run;
}

function drawCounts() {
  const open = questions().length;
  const tally = { art: 0, out: 0 };
  for (const line of lines) tally[state.lines[line.at]] = (tally[state.lines[line.at]] ?? 0) + 1;
  const plural = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;
  $("count").textContent = `${plural(comments.size, "comment")} · article ${plural(tally.art, "line")}${tally.out ? ` · ${tally.out} left out` : ""} · ${open ? plural(open, "open question") : "nothing open"}`;
  Object.assign($("progress"), { hidden: false, max: Math.max(total, open), value: Math.max(total, open) - open });
  for (const way of ["undo", "redo"]) root.querySelector(`[data-do=${way}]`).disabled = !state[way];
  root.querySelector("[data-do=accept_rest]").disabled = !open;
}

/* Where we are */

const owner = (line) => (line.owner === null ? null : comments.get(line.owner));
let marked = null;
let markedItem = null;

function mark(line, scroll = false) {
  here = line;
  if (marked !== line.el) {
    marked?.classList.remove("here");
    marked = line.el;
    source.setAttribute("aria-activedescendant", line.el.id);
  }
  if (!line.el.classList.contains("here")) line.el.classList.add("here");
  drawSelection();
  const item = line.owner === null ? null : items.get(line.owner).el;
  if (markedItem !== item) markedItem?.classList.remove("here");
  markedItem = item;
  if (item && !item.classList.contains("here")) item.classList.add("here");
  if (scroll) {
    led = null; // both panes are moved here: neither leads the other
    settle(4, () => here === line && (show(source, line.el), show(thread, item ?? article)));
  }
  tell();
}

// The selected lines: those from the anchor to the marked one, or the marked one alone.
const selected = () => {
  const [a, b] = [(anchor ?? here).index, here.index];
  return lines.slice(Math.min(a, b), Math.max(a, b) + 1);
};
const startsIn = (some) => some.filter((line) => state.lines[line.at] === "start").map((line) => line.at);
const range = () => {
  const some = selected();
  return some.length > 1 ? { at: some[0].at, until: some.at(-1).at } : null;
};

const chosen = new Set();
function drawSelection() {
  const wanted = new Set(selected());
  for (const line of chosen) {
    if (wanted.has(line)) continue;
    line.el.classList.remove("sel");
    line.el.removeAttribute("aria-selected");
    chosen.delete(line);
  }
  for (const line of wanted) {
    if (wanted.size > 1 && !line.el.classList.contains("sel")) line.el.classList.add("sel");
    if (chosen.has(line)) continue;
    line.el.setAttribute("aria-selected", "true");
    chosen.add(line);
  }
  if (wanted.size === 1) here.el.classList.remove("sel");
  root.querySelector("[data-do=select]").setAttribute("aria-pressed", selecting || wanted.size > 1);
}

function unselect() {
  anchor = null;
  selecting = false;
  drawSelection();
}

// Lines that come into sight get their true height one frame later, and push the marked one away.
function settle(frames, then) {
  then();
  if (frames) requestAnimationFrame(() => settle(frames - 1, then));
}

function show(pane, el) {
  const [box, own] = [pane.getBoundingClientRect(), el.getBoundingClientRect()];
  if (own.top < box.top + 24 || own.bottom > box.bottom - 24) pane.scrollTop += own.top - box.top - box.height / 3;
}

function tell() {
  const comment = owner(here);
  const at = here.owner;
  let words = `Line ${here.number}: ${{ art: "article", out: "left out" }[state.lines[here.at]] ?? ""}`;
  const some = selected();
  const asking = !picking() && some.length === 1;
  if (some.length > 1 && !picking()) {
    const n = startsIn(some).length;
    words = `${some.length} lines are selected, ${some[0].number}–${some.at(-1).number}: ${n === 1 ? "one comment starts" : `${n || "no"} comments start`} on them.`;
  } else if (selecting) words = "Touch the last line of the selection.";
  else if (picking()) words = `${pickedRange ? "The selected comments answer" : `The comment at ${placeOf(picked)} answers`} ${target === null ? "the article" : placeOf(target)}?`;
  else if (comment) {
    const answers = comment.parent === null ? "on the article" : `a reply to ${placeOf(comment.parent)}`;
    if (!comment.asked) words = `Line ${here.number}: ${comment.settled ? "settled, " : "a comment "}${answers}.`;
    else if (comment.asked[0] === "start") words = `Does a comment start at line ${lineAt.get(at).number}? ${percent(comment.asked[1])} sure: ${comment.asked[2]}.`;
    else words = `Is the comment at ${placeOf(at)} ${answers}? ${comment.asked[1] === null ? "" : `${percent(comment.asked[1])} sure: `}${comment.asked[2]}.`;
  }
  else if (state.none) words = `Is it right that nobody comments? ${percent(state.none[1])} sure: ${state.none[2]}.`;
  if ($("question").textContent !== words) $("question").textContent = words;
  root.querySelector("[data-do=leave_out]").lastChild.textContent = allOut(some) ? " take back in" : " leave out";
  $("question").classList.toggle("open", asking && Boolean(comment?.asked ?? state.none));
}

const allOut = (some) => some.every((line) => state.lines[line.at] === "out");
const placeOf = (at) => place(order.find((item) => item.at === at)?.lines ?? [lineAt.get(at)]);

// Without comments there is one question at most: whether that is right.
function questions() {
  if (state.none) return [state.none[0]];
  const rank = (at) => comments.get(at).asked[1] ?? 0.5;
  return [...comments.keys()].filter((at) => comments.get(at).asked).sort((a, b) => rank(a) - rank(b) || a - b);
}

function jump(step) {
  anchor = null;
  const open = questions();
  if (!open.length) return say("No question is open.");
  const rank = (at) => comments.get(at)?.asked?.[1] ?? 0.5;
  const key = lastAsked;
  const after = (at) => key === null || rank(at) > key[0] || (rank(at) === key[0] && at > key[1]);
  const before = (at) => key !== null && (rank(at) < key[0] || (rank(at) === key[0] && at < key[1]));
  const at = step > 0 ? open.find(after) ?? open[0] : open.findLast(before) ?? open.at(-1);
  lastAsked = [rank(at), at];
  mark(lineAt.get(at), true);
}

function walk(step, extend) {
  anchor = extend || selecting ? anchor ?? here : null;
  mark(lines[Math.max(0, Math.min(lines.length - 1, here.index + step))], true);
}

function walkComments(step) {
  anchor = null;
  let i = here.index + step;
  while (i > 0 && i < lines.length - 1 && state.lines[lines[i].at] !== "start") i += step;
  mark(lines[Math.max(0, Math.min(lines.length - 1, i))], true);
}

/* Asking the server */

let fading = 0;
function say(words, wrong = false) {
  said.textContent = words;
  clearTimeout(fading);
  if (!wrong) fading = setTimeout(() => (said.textContent = ""), 4000);
  said.classList.toggle("wrong", wrong);
}

function send(operation, then) {
  root.classList.add("saving");
  queue = queue.then(() => post(operation)).then((answer) => {
    root.classList.remove("saving");
    if (answer && then) then(answer);
  });
  return queue;
}

async function post(operation) {
  let answer;
  let response;
  try {
    response = await fetch(location.pathname, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify({ version: state.version, operation }),
    });
    answer = await response.json();
  } catch {
    say("Not saved: the archive did not answer. Check the connection and do it again; you may have to sign in anew.", true);
    return null;
  }
  if (answer.go) return location.assign(answer.go);
  if (answer.reload) return location.reload();
  if (answer.version !== undefined) take(answer);
  if (answer.problem) say(answer.problem + ".", true);
  else say(`Saved: ${answer.said}.`);
  return response.ok ? answer : null;
}

function take(answer) {
  if (answer.whole) {
    if (Object.keys(answer.lines).length !== lines.length) return location.reload();
    comments.clear();
  }
  for (const at of answer.gone ?? []) comments.delete(Number(at));
  for (const [at, comment] of Object.entries(answer.comments)) comments.set(Number(at), comment);
  Object.assign(state.lines, answer.lines);
  Object.assign(state, { version: answer.version, undo: answer.undo, redo: answer.redo, none: answer.none });
  stopPicking();
  draw();
}

/* What can be done. Each works on the marked line or on the comment that it is in. */

// Several lines at once are one operation, and one undo.
const atOnce = (op, then) => {
  const several = range();
  if (several) send({ op, ...several }, unselect);
  else inComment(then ?? ((at) => send({ op, at })));
};
const inComment = (then) => {
  if (here.owner === null) return say("This line is in no comment.", true);
  then(here.owner);
};
let picked = null;
let pickedRange = null; // of several comments that are to answer the same
const picking = () => picked !== null;

const actions = {
  next: () => jump(1),
  previous: () => jump(-1),
  accept: () => state.none ? send({ op: "accept", at: state.none[0] }) : atOnce("accept", (at) => send({ op: "accept", at }, () => questions().length && jump(1))),
  accept_rest: () => send({ op: "accept_rest" }),
  start: () => send({ op: "start", ...(range() ?? { at: here.at }) }, unselect),
  article_end: () => {
    const next = lines[Math.min(lines.length - 1, here.index + 1)];
    send({ op: "article_end", at: here.at }, () => mark(next, true));
  },
  join: () => atOnce("join"),
  indent: () => atOnce("indent"),
  outdent: () => atOnce("outdent"),
  leave_out: () => {
    const some = selected();
    const next = lines[Math.min(lines.length - 1, some.at(-1).index + 1)];
    const op = allOut(some) ? "keep" : "leave_out";
    send({ op, ...(range() ?? { at: here.at }) }, () => { unselect(); mark(next, true); });
  },
  select: () => {
    if (selecting || anchor) unselect();
    else [selecting, anchor] = [true, here];
    mark(here);
  },
  unselect: () => { unselect(); mark(here); },
  above: () => walkComments(-1),
  below: () => walkComments(1),
  undo: () => send({ op: "undo" }),
  redo: () => send({ op: "redo" }),
  reply: () => {
    const several = range();
    if (!several) return inComment((at) => startPicking(at));
    const first = startsIn(selected())[0];
    if (first === undefined) say("No comment starts on these lines.", true);
    else startPicking(first, several);
  },
  pick: () => answerWith(target),
  pick_article: () => answerWith(null),
  cancel: () => { stopPicking(); tell(); },
  author: () => inComment(askByline),
  publish: () => {
    const open = questions().length;
    $("confirm-text").textContent = open
      ? `${open === 1 ? "One question is" : `${open} questions are`} still open. Readers will see how sure each part is.`
      : "Nothing is open.";
    ask($("confirm"), () => send({ op: "publish" }));
  },
  discard: () => ask($("discard"), () => send({ op: "discard" })),
  help: () => ask($("help"), () => {}),
};

function ask(dialog, then) {
  dialog.returnValue = "";
  dialog.onclose = () => { source.focus({ preventScroll: true }); if (dialog.returnValue === "save") then(dialog); };
  dialog.showModal();
}

function askByline(at) {
  const comment = comments.get(at);
  const fields = $("byline").querySelector("form").elements;
  fields.author.value = comment.author ?? "";
  fields.posted_at.value = comment.date ?? "";
  fields.all.checked = false;
  fields.all.closest("label").hidden = !comment.author;
  $("same").textContent = comment.author ?? "";
  ask($("byline"), () => {
    const [author, date] = [fields.author.value.trim(), fields.posted_at.value.trim()];
    if (author !== (comment.author ?? "")) send({ op: "author", at, author, all: fields.all.checked });
    if (date !== (comment.date ?? "")) send({ op: "date", at, posted_at: date || null });
  });
}

/* Picking the comment that is answered */

function answerWith(to) {
  const place = pickedRange ?? { at: picked };
  stopPicking();
  send({ op: "reply", ...place, to }, unselect);
}

function startPicking(at, several = null) {
  picked = at;
  pickedRange = several;
  const candidates = order.map((item) => item.at);
  const above = candidates.slice(0, candidates.indexOf(at));
  target = comments.get(at).parent ?? above.at(-1) ?? null;
  $("keys").hidden = true;
  $("picking").hidden = false;
  root.classList.add("picking");
  aim(target);
}

function stopPicking() {
  picked = pickedRange = null;
  root.classList.remove("picking");
  list.querySelector(".target")?.classList.remove("target");
  $("keys").hidden = false;
  $("picking").hidden = true;
}

function aim(at) {
  target = at;
  list.querySelector(".target")?.classList.remove("target");
  if (at !== null) {
    items.get(at).el.classList.add("target");
    show(thread, items.get(at).el);
  }
  tell();
}

function aimBy(step) {
  const candidates = [null, ...order.map((item) => item.at).filter((at) => at !== picked)];
  aim(candidates[Math.max(0, Math.min(candidates.length - 1, candidates.indexOf(target) + step))]);
}

/* Keys, clicks, tabs */

const keys = {
  n: "next", p: "previous", y: "accept", A: "accept_rest", e: "article_end", s: "start", m: "join",
  ArrowRight: "indent", ArrowLeft: "outdent", r: "reply", x: "leave_out", a: "author", u: "undo", U: "redo",
  j: "below", k: "above", Escape: "unselect", "?": "help", Enter: "publish",
};
const pickingKeys = { Enter: "pick", 0: "pick_article", Escape: "cancel" };

root.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("dialog, input, select, textarea")) return;
  if (event.key === "Enter" && event.target.closest("button, a")) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : -1;
    if (picking()) aimBy(step);
    else walk(step, event.shiftKey);
  } else {
    const action = (picking() ? pickingKeys : keys)[event.key];
    if (!action) return;
    actions[action]();
  }
  event.preventDefault();
});

root.addEventListener("click", (event) => {
  const button = event.target.closest("[data-do], [data-show]");
  if (button?.dataset.do) return actions[button.dataset.do]();
  if (button) return tab(button.dataset.show);
  const line = event.target.closest("#source > li");
  const item = event.target.closest("#thread li");
  if (line) {
    const found = lineAt.get(Number(line.id.slice(1)));
    if (picking()) return found.owner === null || found.owner === picked || aim(found.owner);
    anchor = event.shiftKey || selecting ? anchor ?? here : null;
    mark(found);
    if (markedItem) show(thread, markedItem);
  } else if (item) {
    const at = Number(item.dataset.at);
    if (picking()) return at === picked || aim(at);
    anchor = null;
    mark(lineAt.get(at));
    show(source, here.el);
  }
});

function tab(name) {
  root.classList.toggle("show-source", name === "source");
  root.classList.toggle("show-thread", name === "thread");
  for (const button of root.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", button.dataset.show === name);
  show(name === "source" ? source : thread, name === "source" ? here.el : markedItem ?? article);
}

/* The panes scroll together: the one that a hand is on leads. */

let led = null;
for (const pane of [source, thread]) {
  for (const sign of ["wheel", "touchstart", "pointerdown"]) pane.addEventListener(sign, () => (led = pane), { passive: true });
  pane.addEventListener("scroll", () => led === pane && requestAnimationFrame(() => follow(pane)), { passive: true });
}

// What the thread has for a line. For one that is left out it has nothing: then it is that of the line above.
function beside(line) {
  let i = line.index;
  while (i && state.lines[lines[i].at] === "out") i -= 1;
  return items.get(lines[i].owner)?.el ?? article;
}

const BETWEEN = 12; // pixels; two items are no further apart
function follow(pane) {
  const box = pane.getBoundingClientRect();
  const other = pane === source ? thread : source;
  if (!other.offsetParent) return; // on a phone only one is shown
  const at = (y) => document.elementFromPoint(box.left + box.width / 2, y)?.closest("li, .article");
  const under = at(box.top + box.height / 3) ?? at(box.top + box.height / 3 + BETWEEN);
  if (!under || !pane.contains(under)) return;
  const el = pane === source ? beside(lineAt.get(Number(under.id.slice(1)))) : (lineAt.get(Number(under.dataset.at)) ?? lines[0]).el;
  other.scrollTop += el.getBoundingClientRect().top - other.getBoundingClientRect().top - box.height / 3;
}

/* Who comes back goes on where they were; this browser alone knows where that was. */

const PLACES = 50; // articles whose place is kept, the latest
const articleId = root.dataset.article;

addEventListener("pagehide", () => {
  const kept = recall("review").places;
  const others = (Array.isArray(kept) ? kept : []).filter(([id]) => id !== articleId);
  keep("review", { places: [...others, [articleId, here.at, lastAsked]].slice(-PLACES) });
});

function comeBack() {
  const kept = recall("review").places;
  const [, at, asked] = (Array.isArray(kept) ? kept : []).find(([id]) => id === articleId) ?? [];
  if (!lineAt.has(at)) return false;
  lastAsked = asked;
  mark(lineAt.get(at), true);
  return true;
}

draw();
source.focus({ preventScroll: true });
if (!comeBack()) {
  if (questions().length) jump(1);
  else mark(lineAt.get(order[0]?.at) ?? lines[0], true);
}
