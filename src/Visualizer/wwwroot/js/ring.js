// Draws the circle. Tiles and nodes are kept between snapshots so that colours can fade from owner to owner;
// everything else is few enough to be drawn anew.

import { arc, at, placeLabels, spoke } from './circle.js';
import { svg } from './dom.js';
import { drawFingers, drawLinks } from './links.js';
import { layOut } from './layout.js';
import { NodeMarks } from './nodes.js';
import { drawPath } from './path.js';
import { many } from './words.js';

const Layers = ['dial', 'hub', 'links', 'tiles', 'fingers', 'stems', 'path', 'nodes', 'key'];

export class RingView {
  #svg;
  #layer = {};
  #tiles = new Map(); // "track/index" -> path
  #marks;
  #select;
  #pathShown = '';

  /** @param select called with a node's name, or null */
  constructor(element, select, tip) {
    this.#svg = element;
    this.#select = select;
    this.tip = tip;
    for (const name of Layers)
      element.append(this.#layer[name] = svg('g', { class: name, 'aria-hidden': name === 'nodes' ? null : 'true' }));
    this.#marks = new NodeMarks(this.#layer.nodes, select);
  }

  /** @param view {model, selected: node or undefined, trace: {..., shown} or null} */
  render(view) {
    const { model, selected, trace } = view;
    const size = this.#svg.clientWidth;
    if (!size)
      return;
    const plan = layOut(size, model, trace);
    this.#svg.setAttribute('viewBox', `0 0 ${size} ${size}`);
    this.#svg.classList.toggle('dense', plan.dense);
    this.#svg.classList.toggle('selecting', Boolean(selected));
    this.#svg.classList.toggle('busy', Boolean(selected || trace));
    this.#drawDial(plan);
    this.#drawHub(plan, model);
    this.#drawTiles(plan, model, selected);
    this.#layer.links.replaceChildren(...drawLinks(plan, model, selected));
    this.#layer.fingers.replaceChildren(...(selected ? drawFingers(plan, selected) : []));
    this.#layer.stems.replaceChildren(...model.nodes.map((node, i) => {
      const mark = at(plan.marks[i], plan.node, plan.centre);
      const d = `${spoke(node.turn, plan.stem, plan.outer + 2, plan.centre)}L${mark.x} ${mark.y}`;
      return svg('path', { class: 'stem', d, owner: node.state === 'dead' ? 'var(--ink-3)' : node.colour });
    }));
    const labels = placeLabels(plan.labelled, {
      radius: plan.label, centre: plan.centre, height: plan.labelHeight, dense: plan.dense,
    });
    this.#marks.render(plan, model, labels, selected);
    this.#drawTrace(plan, model, trace, labels);
  }

  #drawDial(plan) {
    const ticks = [];
    for (let i = 0; i < 16; i++) {
      const whole = i % 4 === 0;
      ticks.push(svg('path', { class: 'tick', d: spoke(i / 16, plan.dial - (whole ? 7 : 4), plan.dial, plan.centre) }));
      if (whole && plan.size > 480) {
        const { x, y } = at(i / 16, plan.dial - 17, plan.centre);
        ticks.push(svg('text', { class: 'tick-text', x, y }, ['00', '40', '80', 'c0'][i / 4]));
      }
    }
    this.#layer.dial.replaceChildren(...ticks);
  }

  #drawHub(plan, model) {
    const alive = model.nodes.filter(node => node.state === 'alive').length;
    const c = plan.centre;
    const big = plan.size * 0.13;
    const line = c + big * 0.14 + Math.max(plan.size * 0.042, 22);
    this.#layer.hub.replaceChildren(
      svg('text', { class: 'hub-figure', x: c, y: c + big * 0.14, 'font-size': big }, `${alive}`),
      svg('text', { class: 'hub-text', x: c, y: line },
        alive === model.nodes.length ? (alive === 1 ? 'node' : 'nodes') : `of ${model.nodes.length} nodes alive`),
      svg('text', { class: 'hub-faint', x: c, y: line + (plan.small ? 17 : 20) },
        `${many(model.tiles.length, 'tile')} · ${many(model.copies, 'copy', 'copies')} each`));
  }

  #drawTiles(plan, model, selected) {
    const stale = new Set(this.#tiles.keys());
    for (const tile of model.tiles) {
      for (let track = 0; track < Math.min(plan.tracks.length, tile.members.length); track++) {
        const key = `${track}/${tile.index}`;
        stale.delete(key);
        this.#drawTile(key, tile, plan.tracks[track], track, plan, selected);
      }
    }
    for (const key of stale) {
      this.#tiles.get(key).remove();
      this.#tiles.delete(key);
    }
  }

  #drawTile(key, tile, { radius, width }, track, plan, selected) {
    let path = this.#tiles.get(key);
    if (!path) {
      this.#tiles.set(key, path = svg('path'));
      this.#layer.tiles.append(path);
      path.addEventListener('pointerenter', () => this.tip.show(path.tile, path.middle));
      path.addEventListener('pointerleave', () => this.tip.hide());
      path.addEventListener('click', () => path.member && this.#select(path.member.name));
    }
    const gap = plan.gap / (2 * Math.PI * radius);
    const member = tile.members[track];
    path.tile = tile;
    path.member = member;
    path.middle = at((tile.from + (tile.to < tile.from ? tile.to + 1 : tile.to)) / 2, radius, plan.centre);
    path.setAttribute('d', arc(tile.from + gap, tile.to - gap, radius, plan.centre));
    path.setAttribute('stroke-width', width);
    path.setAttribute('class', [
      'tile', `track-${track}`, track > 0 && 'backup', tile.phase !== 'active' && tile.phase,
      selected && member === selected && 'mine',
    ].filter(Boolean).join(' '));
    path.style.setProperty('--owner', member?.colour ?? 'var(--quiet)');
    path.dataset.owner = member?.name ?? '';
  }

  #drawTrace(plan, model, trace, labels) {
    if (!trace) {
      this.#pathShown = '';
      this.#layer.path.replaceChildren();
      this.#layer.key.replaceChildren();
      return;
    }
    // A snapshot in the middle of a hop must not start its drawing again.
    const shown = JSON.stringify([trace.number, trace.shown, plan.size, model.nodes.map(node => node.position)]);
    if (shown === this.#pathShown)
      return;
    this.#pathShown = shown;
    const { path, key } = drawPath(plan, trace, model.tiles.find(tile => tile.name === trace.tile), labels.at(-1));
    this.#layer.path.replaceChildren(...path);
    this.#layer.key.replaceChildren(...key);
  }
}
