// A node keeps its colour for as long as the page is open, and n1 to n12 have the same on every page.

const Chosen = 12;
const taken = new Map(); // name -> number of its colour

/** The CSS colour of a node. */
export function colourOf(name) {
  if (!taken.has(name))
    taken.set(name, freeNumber(name));
  const number = taken.get(name);
  if (number <= Chosen)
    return `var(--node-${number})`;
  // Beyond the chosen ones: the golden angle never repeats a hue, and three chromas part the near ones.
  const hue = (number * 137.508) % 360;
  const chroma = [0.15, 0.1, 0.19][number % 3];
  return `oklch(var(--generated-lightness) ${chroma} ${hue.toFixed(1)})`;
}

function freeNumber(name) {
  const used = new Set(taken.values());
  const wish = Number(/(\d+)$/.exec(name)?.[1] ?? 0);
  if (wish > 0 && !used.has(wish))
    return wish;
  let number = 1;
  while (used.has(number))
    number++;
  return number;
}
