// What a comment answers, shown beside "in reply to" while that is pointed at or has the focus.

const DELAY = 250; // milliseconds before it shows, and before it goes: time to move the pointer onto it
const KEPT = 50; // parents that were fetched
const MAX_TEXT = 600; // characters

const fetched = new Map();

export function startParents(thread) {
  const card = document.createElement("div");
  card.className = "card";
  card.id = "parent";
  card.setAttribute("role", "tooltip");
  card.hidden = true;
  document.body.append(card);
  let shownFor = null;
  let timer = 0;

  const hide = () => {
    clearTimeout(timer);
    card.hidden = true;
    shownFor?.removeAttribute("aria-describedby");
    shownFor = null;
  };
  const show = async (link) => {
    if (shownFor === link) return;
    hide();
    shownFor = link;
    const [head, text] = await parentOf(link);
    if (shownFor !== link) return; // the pointer has gone on
    card.replaceChildren(head, text);
    card.hidden = false;
    place(card, link);
    link.setAttribute("aria-describedby", card.id);
  };
  const soon = (what) => {
    clearTimeout(timer);
    timer = setTimeout(what, DELAY);
  };
  const linkAt = (event) => event.target.closest?.(".head > a.to");

  thread.addEventListener("pointerover", (event) => {
    const link = linkAt(event);
    if (link && event.pointerType !== "touch") soon(() => show(link));
  });
  thread.addEventListener("pointerout", (event) => linkAt(event) && soon(hide));
  card.addEventListener("pointerover", () => clearTimeout(timer));
  card.addEventListener("pointerout", () => soon(hide));
  thread.addEventListener("focusin", (event) => linkAt(event)?.matches(":focus-visible") && show(linkAt(event)));
  thread.addEventListener("focusout", (event) => linkAt(event) && hide());
  document.addEventListener("keydown", (event) => event.key === "Escape" && shownFor && hide());
}

/** The parent's head and the beginning of its text: from this page, or from its own. */
async function parentOf(link) {
  const here = link.hash && document.getElementById(link.hash.slice(1));
  if (here) return [line(headOf(here)), line(textOf(here))];
  if (!fetched.has(link.href)) {
    if (fetched.size >= KEPT) fetched.delete(fetched.keys().next().value);
    fetched.set(link.href, await elsewhere(link.href));
  }
  const [head, text] = fetched.get(link.href);
  return [line(head), line(text)];
}

async function elsewhere(address) {
  try {
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(String(answer.status));
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const item = page.querySelector("ol.thread li.here");
    return [headOf(item), textOf(item)];
  } catch {
    return ["", "This comment could not be fetched. The link leads to it."];
  }
}

function headOf(item) {
  const parts = item.querySelectorAll(":scope > .head > :is(.who, time)");
  return [...parts].map((part) => part.textContent.trim()).join(" · ");
}

function textOf(item) {
  const parts = item.querySelector(":scope > details > .body").children;
  const text = [...parts].map((part) => part.textContent.trim()).join("\n");
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

function line(text) {
  const made = document.createElement("p");
  made.dir = "auto";
  made.textContent = text;
  return made;
}

/** Below the link, or above it where there is no room; never over the edge of the window. */
function place(card, link) {
  const at = link.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - card.offsetWidth - 8));
  const below = at.bottom + card.offsetHeight + 8 < innerHeight || at.top < card.offsetHeight + 8;
  card.style.left = `${left + scrollX}px`;
  card.style.top = `${(below ? at.bottom + 2 : at.top - card.offsetHeight - 2) + scrollY}px`;
}
