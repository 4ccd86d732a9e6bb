// The display form without leaving the page. The choice is kept in cookies, and /look.css is made from them.

const form = document.getElementById("look");
const link = document.getElementById("chosen-look");
const sheet = new CSSStyleSheet();

function mark() {
  const style = getComputedStyle(document.documentElement);
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", style.getPropertyValue(`--${button.name}`).trim() === button.value);
  }
}

/** Take the stylesheet anew. A link would be given the one that the page already has. */
async function refresh() {
  const answer = await fetch(link.href, { cache: "no-cache" });
  if (!answer.ok) return;
  sheet.replaceSync(await answer.text());
  document.adoptedStyleSheets = [sheet];
  link.disabled = true;
  mark();
}

if (form && link) {
  mark();
  form.addEventListener("submit", async (event) => {
    if (!event.submitter) return;
    event.preventDefault();
    const body = new URLSearchParams([[event.submitter.name, event.submitter.value]]);
    try {
      await fetch(form.action, { method: "POST", body, redirect: "manual" });
      await refresh();
    } catch {
      form.hidePopover(); // no connection: nothing was chosen
    }
  });
  // A page taken back from the browser's history looks as it did when it was left.
  addEventListener("pageshow", (event) => event.persisted && refresh().catch(() => {}));
}
