// What happened, newest first; tiles that move together are one line that opens.

import { html } from './dom.js';
import { many, time } from './words.js';

const Signs = { joined: '+', suspected: '?', alive: '✓', left: '−', dead: '×', tile_moved: '⇄', eyes: '◉' };
const TogetherMs = 4000;

/** @param events {atMs, kind, node, text}, newest first */
export function eventRows(events) {
  return gathered(events).map(group => html('li', { class: `is-${group[0].kind}` },
    html('time', { datetime: new Date(group[0].atMs).toISOString() }, time(group[0].atMs)),
    html('span', { class: 'sign', 'aria-hidden': 'true' }, Signs[group[0].kind] ?? '·'),
    group.length === 1 ? html('span', {}, group[0].text) : folded(group)));
}

function folded(group) {
  const key = `${group.at(-1).atMs}-${group.at(-1).number}`;
  const where = group[0].node ? `, ${group[0].node}` : '';
  return html('details', {},
    html('summary', { 'data-key': key }, `${many(group.length, 'tile')} moved${where}`),
    html('ul', {}, group.map(event => html('li', {}, event.text))));
}

function gathered(events) {
  const groups = [];
  for (const event of events) {
    // Several nodes take over at once: look a few groups back for the one of this node.
    const group = event.kind === 'tile_moved' && groups.slice(-8).find(g =>
      g[0].kind === 'tile_moved' && g[0].node === event.node && g.at(-1).atMs - event.atMs < TogetherMs);
    if (group)
      group.push(event);
    else
      groups.push([event]);
  }
  return groups;
}
