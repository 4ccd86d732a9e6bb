// One line at the foot of the window that says what just happened, seen and read out alike.

const SHOWN = 5_000; // milliseconds
const line = document.createElement("p");
line.className = "said";
line.setAttribute("role", "status");
document.body.append(line);
let timer = 0;

export function say(words) {
  line.textContent = words;
  clearTimeout(timer);
  timer = setTimeout(() => (line.textContent = ""), SHOWN);
}
