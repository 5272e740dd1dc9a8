// How much room everything gets: from the size of the drawing and the number of nodes to radii in pixels.

import { spread, turnOf } from './circle.js';

const pen = document.createElement('canvas').getContext('2d');

/** The radii, from outside in: label, node, tracks of tiles, dial, successor and predecessor links, chords. */
export function layOut(size, model, trace) {
  const small = size < 520;
  const dense = model.nodes.length > (small ? 10 : 16);
  const labelSize = dense ? (small ? 10 : 11.5) : (small ? 13 : 15);
  const labelled = labelledOf(model, trace, dense, labelSize);
  const marker = dense ? (small ? 4 : 6) : (small ? 8.5 : 11);
  const centre = size / 2;
  const label = roomFor(labelled, centre, labelSize * 1.25, dense);
  const node = label - (dense ? marker + 9 : marker + 8);
  const owner = small ? 15 : 24;
  const backup = small ? 4 : 7;
  const backups = Math.min(Math.max(0, model.copies - 1), 4);
  const outer = node - marker - (small ? 4 : 6);
  const tracks = [{ radius: outer - owner / 2, width: owner }];
  for (let k = 0; k < backups; k++)
    tracks.push({ radius: outer - owner - (k + 1) * 3 - (k + 0.5) * backup, width: backup });
  const inner = tracks.at(-1).radius - tracks.at(-1).width / 2;
  const successor = inner - (small ? 8 : 12);
  const predecessor = successor - (small ? 6 : 9);
  // Nodes may stand closer than their marks are wide: the marks move apart, their stems say where they belong.
  const marks = spread(model.nodes.map(n => n.turn), (marker * 2 + (dense ? 2 : 6)) / (2 * Math.PI * node));
  labelled.slice(0, marks.length).forEach((item, i) => item.turn = marks[i]);
  const markOf = new Map(model.nodes.map((n, i) => [n.position, { turn: marks[i], colour: n.colour }]));
  return {
    marks, markOf, outer,
    size, small, dense, centre, labelSize, labelled, marker, label, node, tracks, successor, predecessor,
    labelHeight: labelSize * 1.25,
    gap: small ? 0.5 : 0.9,
    chord: predecessor - (small ? 3 : 5),
    dial: predecessor - (small ? 8 : 12),
    head: dense ? (small ? 0 : 4.5) : small ? 6 : 8,
    stem: dense ? tracks[0].radius - owner / 2 - 2 : predecessor - (small ? 3 : 5),
  };
}

/** The largest radius from which every label still ends inside the drawing. */
function roomFor(items, centre, height, dense) {
  const room = items.map(item => {
    if (dense)
      return centre - item.width - 4;
    const s = Math.abs(Math.sin(2 * Math.PI * item.turn));
    const c = Math.abs(Math.cos(2 * Math.PI * item.turn));
    const outwards = s * item.width / 2 + c * height / 2;
    return Math.min((centre - item.width / 2) / s, (centre - height) / c) - outwards - 2;
  });
  return Math.max(centre * 0.55, Math.min(centre - height * 2, ...room));
}

/** What stands around the circle: every node's name and, last, the name that is looked up. */
function labelledOf(model, trace, dense, labelSize) {
  pen.font = `650 ${labelSize}px ${getComputedStyle(document.body).fontFamily}`;
  const items = model.nodes.map(node => {
    const text = shorten(node.name, dense ? 12 : 16);
    const state = node.state === 'alive' || dense ? '' : node.state;
    const eye = node.name === model.seenBy ? 22 : 0;
    const width = Math.max(pen.measureText(text).width, pen.measureText(state).width * 0.82) + eye;
    return { turn: node.turn, text, state, eye, lines: state ? 2 : 1, width };
  });
  if (trace) {
    const text = shorten(trace.name, 14);
    items.push({ turn: turnOf(trace.position), text, lines: 1, width: pen.measureText(text).width });
  }
  return items;
}

const shorten = (text, max) => text.length <= max ? text : `${text.slice(0, max - 1)}…`;
