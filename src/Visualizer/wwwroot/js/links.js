// Successor, predecessor and finger links.

import { arc, arcHead, at, chord, chordHead, clockwise } from './circle.js';
import { svg } from './dom.js';

/**
 * A pointer to the neighbour runs along the circle: successors outside and clockwise, predecessors inside and back.
 * A pointer that skips somebody who stands between is drawn across, in the colour of warnings.
 */
export function drawLinks(plan, model, selected) {
  const drawn = [];
  for (const node of model.nodes) {
    if (node.state === 'dead')
      continue;
    const mine = node === selected;
    const successor = node.successors[0];
    if (successor && successor !== node)
      drawn.push(...pointer(plan, node, successor, successor === node.nextStanding, 1, mine));
    if (node.predecessor && node.predecessor !== node)
      drawn.push(...pointer(plan, node, node.predecessor, node.predecessor === node.previousStanding, -1, mine));
  }
  return drawn;
}

function pointer(plan, from, to, right, direction, mine) {
  const radius = direction > 0 ? plan.successor : plan.predecessor;
  const classes = `${direction > 0 ? 'successor' : 'predecessor'}${right ? '' : ' astray'}${mine ? ' mine' : ''}`;
  const owner = from.colour;
  if (!right) {
    const head = chordHead(from.turn, to.turn, radius, plan.centre, plan.head);
    return [
      svg('path', { class: `link ${classes}`, d: chord(from.turn, to.turn, radius, plan.centre), owner }),
      svg('path', { class: `head ${classes}`, d: head, owner }),
    ];
  }
  const [a, b] = direction > 0 ? [from.turn, to.turn] : [to.turn, from.turn];
  const gap = Math.min(3 / (2 * Math.PI * radius), clockwise(a, b) / 4);
  const tip = direction > 0 ? b - gap : a + gap;
  return [
    svg('path', { class: `link ${classes}`, d: arc(a + gap, b - gap, radius, plan.centre), owner }),
    svg('path', { class: `head ${classes}`, d: arcHead(tip, radius, plan.centre, direction, plan.head), owner }),
  ];
}

/** The fingers of the selected node: one chord a target, ending in the target's colour. */
export function drawFingers(plan, node) {
  const targets = [...new Set(node.fingers.map(finger => finger.target))];
  return targets.flatMap(target => {
    const { x, y } = at(target.turn, plan.chord, plan.centre);
    return [
      svg('path', { class: 'finger', d: chord(node.turn, target.turn, plan.chord, plan.centre), owner: node.colour }),
      svg('circle', { class: 'finger-end', cx: x, cy: y, r: plan.dense ? 3 : 4.5, owner: target.colour }),
    ];
  });
}
