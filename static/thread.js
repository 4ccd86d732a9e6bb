// A thread with a script: what is new, folding that is remembered, keys, links to copy, and the parent at a glance.
// Without one, each comment is still read, folded and linked to: this only saves steps.

import { tellFromToday } from "./dates.js";
import { startFolding } from "./folding.js";
import { startKeys } from "./keys.js";
import { addCopyButtons } from "./links.js";
import { startParents } from "./parents.js";
import { startSince } from "./since.js";

const thread = document.querySelector("ol.thread[data-article]");

if (thread) {
  const tools = document.createElement("div");
  tools.className = "thread-tools";
  tools.setAttribute("role", "group");
  tools.setAttribute("aria-label", "Reading this thread");
  thread.before(tools);
  const since = startSince(thread, tools);
  startFolding(thread, tools, (part) => {
    addCopyButtons(part);
    tellFromToday(part);
    since.mark();
  });
  startKeys(thread, tools);
  startParents(thread);
  addCopyButtons(thread);
}
