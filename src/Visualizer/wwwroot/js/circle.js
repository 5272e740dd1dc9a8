// The geometry of the circle: a turn is a fraction of it, 0 at the top, growing clockwise.

/** Where a position of 32 hex digits lies; 13 digits are all that a number can tell apart. */
export const turnOf = hex => parseInt(hex.slice(0, 13), 16) / 16 ** 13;

/** How far it is clockwise from one turn to another: 0 up to, not including, 1. */
export const clockwise = (from, to) => ((to - from) % 1 + 1) % 1;

export const at = (turn, radius, centre) => ({
  x: centre + radius * Math.sin(2 * Math.PI * turn),
  y: centre - radius * Math.cos(2 * Math.PI * turn),
});

const write = p => `${p.x.toFixed(2)} ${p.y.toFixed(2)}`;

/** An arc clockwise; equal ends are nothing, not the whole circle. */
export function arc(from, to, radius, centre) {
  const span = clockwise(from, to);
  const large = span > 0.5 ? 1 : 0;
  const end = write(at(from + span, radius, centre));
  return `M${write(at(from, radius, centre))}A${radius} ${radius} 0 ${large} 1 ${end}`;
}

/** A straight line between two radii at one turn. */
export const spoke = (turn, inner, outer, centre) =>
  `M${write(at(turn, inner, centre))}L${write(at(turn, outer, centre))}`;

/** A chord that bends towards the centre, the more the longer it is. */
export function chord(from, to, radius, centre) {
  const a = at(from, radius, centre);
  const b = at(to, radius, centre);
  return `M${write(a)}Q${write(control(from, to, radius, centre))} ${write(b)}`;
}

/** The little triangle at the end of a chord. */
export function chordHead(from, to, radius, centre, size) {
  const tip = at(to, radius, centre);
  const c = control(from, to, radius, centre);
  return arrow(tip, Math.atan2(tip.y - c.y, tip.x - c.x), size);
}

/** The little triangle at the end of an arc that runs clockwise (1) or back (-1). */
export const arcHead = (turn, radius, centre, direction, size) =>
  arrow(at(turn, radius, centre), 2 * Math.PI * turn + (direction > 0 ? 0 : Math.PI), size);

function control(from, to, radius, centre) {
  const span = Math.min(clockwise(from, to), clockwise(to, from));
  const middle = clockwise(from, to) <= 0.5 ? from + span / 2 : to + span / 2;
  return at(middle, radius * (0.86 - 1.5 * span), centre);
}

function arrow(tip, angle, size) {
  const corner = turn => ({ x: tip.x + size * Math.cos(angle + turn), y: tip.y + size * Math.sin(angle + turn) });
  return `M${write(tip)}L${write(corner(2.68))}L${write(corner(-2.68))}Z`;
}

/**
 * Moves turns apart until neighbours are `gap` from each other, as little as it can.
 * Where they do not all fit, they end up evenly spread.
 */
export function spread(turns, gap) {
  const order = turns.map((turn, index) => ({ turn, index })).sort((a, b) => a.turn - b.turn);
  const count = order.length;
  const room = Math.min(gap, 0.98 / Math.max(count, 1));
  for (let round = 0; round < 300 && count > 1; round++) {
    let moved = 0;
    for (let i = 0; i < count; i++) {
      const next = order[(i + 1) % count];
      const lap = i + 1 === count ? 1 : 0;
      const lack = room - (next.turn + lap - order[i].turn);
      if (lack <= 1e-6)
        continue;
      order[i].turn -= lack / 2;
      next.turn += lack / 2;
      moved += lack;
    }
    if (moved < 1e-5)
      break;
  }
  const result = [];
  for (const item of order)
    result[item.index] = item.turn;
  return result;
}

/**
 * Places labels outside the circle so that none covers another.
 * @param items {turn, width, lines}, in pixels
 * @param dense many labels: each stands on its own ray, turned; otherwise all are level
 * @returns {turn, x, y, anchor, rotate} for each item
 */
export function placeLabels(items, { radius, centre, height, dense }) {
  if (dense) {
    return spread(items.map(i => i.turn), height / (2 * Math.PI * radius)).map(turn => {
      const right = clockwise(0, turn) < 0.5;
      const rotate = clockwise(0, turn) * 360 + (right ? -90 : 90);
      return { turn, ...at(turn, radius, centre), anchor: right ? 'start' : 'end', rotate };
    });
  }
  const boxes = items.map(i => ({ turn: i.turn, w: i.width + 10, h: height * (i.lines ?? 1) + 2 }));
  for (let round = 0; round < 160 && parted(boxes, radius, centre); round++);
  return boxes.map(box => ({ turn: box.turn, ...middleOf(box, radius, centre), anchor: 'middle', rotate: 0 }));
}

function middleOf(box, radius, centre) {
  const s = Math.abs(Math.sin(2 * Math.PI * box.turn));
  const c = Math.abs(Math.cos(2 * Math.PI * box.turn));
  return at(box.turn, radius + s * (box.w - 10) / 2 + c * box.h / 2, centre);
}

function parted(boxes, radius, centre) {
  let moved = false;
  for (let i = 0; i < boxes.length; i++) {
    for (let j = i + 1; j < boxes.length; j++) {
      const a = middleOf(boxes[i], radius, centre);
      const b = middleOf(boxes[j], radius, centre);
      const apart = Math.abs(a.x - b.x) >= (boxes[i].w + boxes[j].w) / 2;
      if (apart || Math.abs(a.y - b.y) >= (boxes[i].h + boxes[j].h) / 2)
        continue;
      const ahead = clockwise(boxes[i].turn, boxes[j].turn) <= 0.5 ? 1 : -1;
      boxes[i].turn -= ahead * 0.002;
      boxes[j].turn += ahead * 0.002;
      moved = true;
    }
  }
  return moved;
}
