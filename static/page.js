// What every page does with a script, none of which reading needs: choosing how it looks, and dates told from today.

import "./look.js";
import { tellFromToday } from "./dates.js";

tellFromToday(document);

// An address that is its own text is not printed a second time after it.
for (const link of document.querySelectorAll(":is(.article, .body) a[href^=http]")) {
  link.classList.toggle("bare", link.textContent.trim() === link.getAttribute("href"));
}
