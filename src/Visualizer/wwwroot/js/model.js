// From a snapshot (the JSON form of chordchat.v1.Snapshot) to what the page draws.

import { clockwise, turnOf } from './circle.js';
import { colourOf, keepColoursOf } from './colours.js';
import { States } from './words.js';

const byName = new Intl.Collator('en', { numeric: true });

/**
 * Nodes clockwise, tiles in order, everything that names a position resolved to the node there.
 * @param silent a node that has just stopped answering the visualizer, whatever the ring still says of it
 */
export function modelOf(snapshot, silent) {
  keepColoursOf(snapshot.nodes.map(node => node.name));
  // Colours are given in the order of names, so that two pages that see one ring give the same.
  const named = [...snapshot.nodes].sort((a, b) => byName.compare(a.name, b.name));
  const nodes = named.map(nodeOf).sort((a, b) => a.turn - b.turn);
  for (const node of nodes)
    if (node.name === silent && node.state === 'alive')
      node.state = 'suspect';
  const at = new Map(nodes.map(node => [node.position, node]));
  const tiles = snapshot.tiles.map((tile, index) => tileOf(tile, index, at));
  linkUp(nodes, at);
  for (const tile of tiles)
    tile.members.forEach((member, rank) => member && (rank === 0 ? member.owned : member.backed).push(tile));
  return {
    cluster: snapshot.cluster,
    seenBy: snapshot.seenBy,
    atMs: Number(snapshot.atMs),
    nodes,
    named: named.map(n => at.get(n.position)),
    byPosition: at,
    byName: new Map(nodes.map(node => [node.name, node])),
    tiles,
    copies: Math.max(0, ...tiles.map(tile => tile.members.length)),
    namesHidden: snapshot.namesHidden === true,
    online: nodes.reduce((total, node) => total + node.online, 0),
    people: nodes.flatMap(node => node.users.map(user => ({ user, node })))
      .sort((a, b) => byName.compare(a.user, b.user)),
    events: snapshot.events.map(e => ({ ...e, atMs: Number(e.atMs), number: Number(e.number) })),
  };
}

function nodeOf(node) {
  return {
    name: node.name,
    id: node.id,
    position: node.position,
    turn: turnOf(node.position),
    address: node.address,
    state: States[node.state] ?? 'unknown',
    colour: colourOf(node.name),
    predecessorAt: node.predecessor,
    successorsAt: node.successors,
    fingersAt: node.fingers,
    ownRecords: Number(node.ownRecords),
    backupRecords: Number(node.backupRecords),
    sessions: node.sessions,
    users: [...node.users].sort(byName.compare),
    online: Math.max(node.users.length, node.sessions), // without an operator's certificate only the number is told
    sinceMs: Number(node.sinceMs),
    owned: [],
    backed: [],
  };
}

function tileOf(tile, index, at) {
  return {
    index,
    name: tile.tile,
    from: turnOf(tile.start),
    to: turnOf(tile.end),
    epoch: Number(tile.epoch),
    phase: tile.phase || 'active',
    members: tile.members.map(position => at.get(position)),
  };
}

function linkUp(nodes, at) {
  linkStanding(nodes, 'previousStanding');
  linkStanding(nodes.toReversed(), 'nextStanding');
  nodes.forEach(node => {
    node.predecessor = at.get(node.predecessorAt);
    node.successors = node.successorsAt.map(position => at.get(position)).filter(Boolean);
    node.fingers = fingersOf(node, at);
    // What it answers for, as Chord has it: from its predecessor's place, without it, up to its own.
    const before = node.predecessor ?? node.previousStanding ?? node;
    node.from = before.turn;
    node.fromAt = before.position;
    node.share = before === node ? 1 : clockwise(before.turn, node.turn);
  });
}

/** The last one before each node that is not dead, itself apart; twice around, since the circle begins anywhere. */
function linkStanding(nodes, name) {
  let last;
  for (const node of [...nodes, ...nodes]) {
    node[name] = last === node ? undefined : last;
    if (node.state !== 'dead')
      last = node;
  }
}

/** The 128 fingers point at few nodes: one entry a node, with the range of i that leads there. */
function fingersOf(node, at) {
  const runs = [];
  for (const { index, position } of [...node.fingersAt].sort((a, b) => a.index - b.index)) {
    const target = at.get(position);
    const last = runs.at(-1);
    if (!target || target === node)
      continue;
    if (last?.target === target)
      last.to = index;
    else
      runs.push({ target, from: index, to: index });
  }
  return runs;
}
