// A node keeps its colour for as long as it is shown, and n1 to n12 have the same on every page.

const Chosen = 12;
const NamesMax = 8192;
const taken = new Map(); // name -> number of its colour
const used = new Set(); // these numbers
let lowest = 1; // below it all numbers are used

/** The CSS colour of a node. */
export function colourOf(name) {
  if (!taken.has(name))
    take(name);
  const number = taken.get(name);
  if (number <= Chosen)
    return `var(--node-${number})`;
  // Beyond the chosen ones: the golden angle never repeats a hue, and three chromas part the near ones.
  const hue = (number * 137.508) % 360;
  const chroma = [0.15, 0.1, 0.19][number % 3];
  return `oklch(var(--generated-lightness) ${chroma} ${hue.toFixed(1)})`;
}

/** Forgets names that are not shown any more once there are too many: a node that lies may invent some without end. */
export function keepColoursOf(shown) {
  if (taken.size <= NamesMax)
    return;
  const kept = new Set(shown);
  for (const [name, number] of taken)
    if (!kept.has(name)) {
      taken.delete(name);
      used.delete(number);
    }
  lowest = 1;
}

function take(name) {
  const wish = Number(/(\d+)$/.exec(name)?.[1] ?? 0);
  while (used.has(lowest))
    lowest++;
  const number = wish > 0 && !used.has(wish) ? wish : lowest;
  taken.set(name, number);
  used.add(number);
}
