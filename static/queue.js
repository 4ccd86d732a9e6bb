// The moderators' queue. The server draws rows and cards and decides what may be done; this asks for them, puts them in
// place, and gives each button a key. The list never moves: what was decided stays where it was and says so.

const root = document.querySelector("#queue");
const list = document.querySelector("#waits");
const place = document.querySelector("#card");
const saidLine = document.querySelector("#said");
const undoForm = document.querySelector("#undo");
const help = document.querySelector("#keys");
const EVERY = 5_000; // milliseconds between two questions for what others did
const SHOWN = 4_000;
let busy = Promise.resolve();
let timer = 0;

const row = (id) => document.getElementById(`w${id}`);
const card = () => place?.querySelector(".card");
const here = () => row(card()?.dataset.id);

function say(words, wrong = false) {
  saidLine.textContent = words;
  saidLine.classList.toggle("wrong", wrong);
  clearTimeout(timer);
  timer = setTimeout(() => (saidLine.textContent = ""), SHOWN);
}

function tell(whats) {
  for (const [id, [what, done]] of Object.entries(whats ?? {})) {
    for (const el of [row(id), card()?.dataset.id === id ? card() : null]) {
      if (!el) continue;
      const words = el.querySelector(".what");
      if (words.innerHTML !== what) words.innerHTML = what;
      el.classList.toggle("done", done);
    }
  }
}

function put(html, id) {
  if (!html) return;
  const wasOpen = place.querySelector("#history")?.open;
  place.innerHTML = html;
  if (wasOpen && place.querySelector("#history")) place.querySelector("#history").open = true;
  for (const li of list.children) {
    const on = li.dataset.id === String(id);
    li.classList.toggle("here", on);
    if (on) li.querySelector("a").setAttribute("aria-current", "true");
    else li.querySelector("a").removeAttribute("aria-current");
    if (on) li.scrollIntoView({ block: "nearest" });
  }
  card().focus({ preventScroll: true });
  const comment = place.querySelector(".thread > .here");
  if (comment) comment.parentElement.scrollTop = comment.offsetTop - comment.parentElement.offsetTop - 60;
}

function neighbour(step, skipDone = false) {
  let li = here();
  do li = step > 0 ? li?.nextElementSibling : li?.previousElementSibling;
  while (li && skipDone && li.classList.contains("done"));
  return li;
}

async function show(li) {
  if (!li) return say("That was the last on this page.");
  const answer = await fetch(`${root.dataset.cards}${li.dataset.id}/`);
  if (!answer.ok) return say("The archive did not answer. Sign in again, or reload the page.", true);
  put(await answer.text(), li.dataset.id);
}

// ``form.action`` would be the buttons of that name.
async function send(form, values) {
  const body = new FormData(form);
  for (const [name, value] of Object.entries(values)) body.set(name, value);
  let answer;
  try {
    const response = await fetch(form.getAttribute("action"), { method: "POST", body, headers: { Accept: "application/json" } });
    answer = await response.json();
  } catch {
    return say("Not saved: the archive did not answer. Check the connection; you may have to sign in anew.", true);
  }
  tell(answer.what);
  put(answer.card, answer.at);
  if (answer.problem) say(`${answer.problem}.`, true);
  else if (answer.said) say(`${answer.said}.`);
  undoForm.querySelector("button").disabled = false;
}

function decide(action) {
  const form = place.querySelector("form.decide");
  if (!form?.querySelector(`[name="action"][value="${action}"]`)) return say("That is not offered on this card.", true);
  if (action === "hide" && !form.elements.reason.value.trim()) {
    say("Give a reason first.", true);
    return form.elements.reason.focus();
  }
  const next = action === "claim" ? null : neighbour(1, true) ?? neighbour(-1, true);
  return send(form, { action, next: next?.dataset.id ?? "" });
}

const queue = (work) => (busy = busy.then(work).catch(() => say("That did not work. Reload the page.", true)));

const keys = {
  a: () => queue(() => decide(place.querySelector('button[data-key="a"]')?.value ?? "approve")),
  h: () => queue(() => decide("hide")),
  s: () => queue(() => decide("spam")),
  c: () => queue(() => decide("claim")),
  u: () => queue(() => send(undoForm, {})),
  n: () => queue(() => show(neighbour(1))),
  j: () => queue(() => show(neighbour(1))),
  k: () => queue(() => show(neighbour(-1))),
  e: () => place.querySelector("#reason")?.select(),
  r: () => place.querySelector('[name="replies"]')?.click(),
  x: () => here()?.querySelector(".choose input")?.click(),
  y: () => {
    const history = place.querySelector("#history");
    if (history) history.open = !history.open;
  },
  o: () => (place.querySelector('[data-key="o"]') ?? place.querySelector(".title a"))?.click(),
  "/": () => {
    document.querySelector(".narrowing").open = true;
    document.querySelector("#q").focus();
  },
  "?": () => (help.open ? help.close() : help.showModal()),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const typing = event.target.closest("input:not([type=checkbox]), select, textarea");
  if (typing) {
    if (event.key === "Escape") card()?.focus();
    if (event.key === "Enter" && typing.id === "reason") {
      event.preventDefault();
      card().focus();
      keys.h();
    }
    return;
  }
  if (help.open && event.key !== "?") return;
  const act = keys[event.key];
  if (!act || (!card() && !"u/?".includes(event.key))) return;
  event.preventDefault();
  act();
});

root.addEventListener("click", (event) => {
  const link = event.target.closest("#waits a, a[data-skip]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  queue(() => show(link.closest("#waits li") ?? neighbour(1)));
});

root.addEventListener("submit", (event) => {
  if (event.target.id === "undo") {
    event.preventDefault();
    keys.u();
  } else if (event.target.matches("form.decide")) {
    event.preventDefault();
    const action = event.submitter?.value ?? "hide";
    queue(() => decide(action));
  }
});

document.querySelector("#help").addEventListener("click", keys["?"]);

async function ask() {
  if (document.hidden || !list) return;
  const ids = [...list.children].map((li) => li.dataset.id).join(",");
  const answer = await fetch(`${root.dataset.news}?ids=${ids}`).catch(() => null);
  if (answer?.ok) tell((await answer.json()).what);
}

// Words are looked for in parts of the list, each a page; the parts in which nothing is are gone through here.
async function lookFurther() {
  let empty = root.querySelector(".empty");
  for (let link = empty?.querySelector("#further"); link; link = empty.querySelector("#further")) {
    const answer = await fetch(link.href).catch(() => null);
    if (!answer?.ok) return;
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("#queue");
    if (!found?.querySelector(".empty")) return location.replace(link.href);
    empty.replaceChildren(...found.querySelector(".empty").childNodes);
  }
}

lookFurther();
setInterval(ask, EVERY);
root.classList.add("ready");
card()?.focus({ preventScroll: true });
