// A button beside each comment's number that copies its permalink.

import { say } from "./say.js";

export function addCopyButtons(part) {
  if (!navigator.clipboard) return; // only where the browser allows it: over https, or on this machine
  for (const link of part.querySelectorAll(".head > .n")) {
    if (link.nextElementSibling) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    const name = document.createElement("span");
    name.className = "unseen";
    name.textContent = `Copy the link to comment ${link.lastChild.textContent}`;
    button.append(name);
    button.addEventListener("click", () => copy(link.href));
    link.after(button);
  }
}

async function copy(address) {
  try {
    await navigator.clipboard.writeText(address);
    say("Link copied");
  } catch {
    say(`The link could not be copied: ${address}`);
  }
}
