// A lookup on the circle: numbered hops, the key, the tile it falls into.

import { arc, at, chord, chordHead, spoke, turnOf } from './circle.js';
import { svg } from './dom.js';

/**
 * @param trace {position, hops, shown, still}; hops before `shown` are drawn, hop `shown` is being drawn
 * @param tile the tile that the key falls into, as now known
 */
export function drawPath(plan, trace, tile, label) {
  const turns = trace.hops.map(hop => turnOf(hop.position));
  const path = [];
  for (let i = 1; i <= Math.min(trace.shown, turns.length - 1); i++) {
    if (turns[i] === turns[i - 1])
      continue;
    const d = chord(turns[i - 1], turns[i], plan.chord, plan.centre);
    const drawing = i === trace.shown && !trace.still ? ' drawing' : '';
    path.push(
      svg('path', { class: 'hop-under', d: drawing ? '' : d }),
      svg('path', { class: `hop${drawing}`, d, pathLength: 1 }),
      svg('path', { class: `hop-head${drawing}`, d: chordHead(turns[i - 1], turns[i], plan.chord, plan.centre, 11) }));
  }
  const key = [...keyMark(plan, trace, tile, label)];
  for (let i = 0; i <= Math.min(trace.shown, turns.length - 1); i++)
    key.push(...badge(plan, trace.hops[i].position, i, turns));
  return { path, key };
}

/** The number of a hop stands on its node; a node that is passed twice shows the last number. */
function badge(plan, position, index, turns) {
  if (turns.lastIndexOf(turns[index]) !== index)
    return [];
  const mark = plan.markOf.get(position);
  const { x, y } = at(mark?.turn ?? turns[index], plan.node, plan.centre);
  const r = plan.dense ? 7.5 : plan.marker - 1;
  return [
    svg('circle', { class: 'badge-halo', cx: x, cy: y, r: r + 4.5 }),
    svg('circle', { class: 'badge', cx: x, cy: y, r, owner: mark?.colour ?? 'var(--ink)' }),
    svg('text', { class: 'badge-text', x, y }, `${index + 1}`),
  ];
}

function* keyMark(plan, trace, tile, label) {
  const turn = turnOf(trace.position);
  const { radius, width } = plan.tracks[0];
  const edge = radius + width / 2 + 2;
  const { x, y } = at(turn, edge, plan.centre);
  yield svg('path', { class: 'tile-mark', d: spoke(turn, radius - width / 2, edge, plan.centre) });
  if (tile)
    yield svg('path', { class: 'tile-mark', d: arc(tile.from, tile.to, edge, plan.centre) });
  yield svg('path', { class: 'key-mark', d: `M${x} ${y - 7}L${x + 7} ${y}L${x} ${y + 7}L${x - 7} ${y}Z` });
  if (!label)
    return;
  const rotate = label.rotate ? `rotate(${label.rotate} ${label.x} ${label.y})` : '';
  const end = at(label.turn, plan.label - 2, plan.centre);
  const start = at(turn, edge + 8, plan.centre);
  yield svg('path', { class: 'leader', d: `M${start.x} ${start.y}L${end.x} ${end.y}` });
  yield svg('text', {
    class: 'key-label', x: label.x, y: label.y, transform: rotate,
    'text-anchor': label.anchor, 'font-size': plan.labelSize,
  }, plan.labelled.at(-1).text);
}
