// How far a decision on many is: asked for each second, until it is done and the page says what came of it.

const bulk = document.querySelector("#bulk");
const EVERY = 1_000; // milliseconds
const count = new Intl.NumberFormat("en");

async function ask() {
  const answer = await fetch(bulk.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return;
  const { done, changed, finished } = await answer.json();
  document.querySelector("#progress").value = done;
  document.querySelector("#done").textContent = count.format(done);
  document.querySelector("#changed").textContent = count.format(changed);
  if (finished) location.replace(bulk.dataset.url);
}

setInterval(() => document.hidden || ask(), EVERY);
