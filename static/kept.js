// What this browser keeps for its reader, and tells nobody. Bounded; where keeping is not allowed, nothing is kept.

const PREFIX = "afterword:";
const ARTICLES = 200; // the articles read longest ago are forgotten

export function recall(name) {
  try {
    const found = JSON.parse(localStorage.getItem(PREFIX + name));
    return found && typeof found === "object" ? found : {};
  } catch {
    return {};
  }
}

export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    return; // full, or not allowed
  }
  forgetOldest();
}

function forgetOldest() {
  const names = Object.keys(localStorage).filter((key) => key.startsWith(`${PREFIX}article:`));
  if (names.length <= ARTICLES) return;
  const read = (key) => recall(key.slice(PREFIX.length)).at ?? 0;
  const oldest = names.sort((one, other) => read(one) - read(other)).slice(0, names.length - ARTICLES);
  for (const key of oldest) localStorage.removeItem(key);
}
