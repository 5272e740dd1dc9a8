// The nodes on the circle: buttons that can be reached by Tab and walked round with the arrow keys.

import { at, clockwise } from './circle.js';
import { svg } from './dom.js';
import { many } from './words.js';

const Signs = { suspect: '?', dead: '×', leaving: '→', joining: '', alive: '', unknown: '?' };

export class NodeMarks {
  #layer;
  #groups = new Map(); // name -> its parts
  #order = [];
  #select;
  #drawnBefore = false;

  constructor(layer, select) {
    this.#layer = layer;
    this.#select = select;
    layer.addEventListener('keydown', event => this.#walk(event));
  }

  render(plan, model, labels, selected) {
    const stale = new Set(this.#groups.keys());
    this.#order = model.nodes.map(node => node.name);
    model.nodes.forEach((node, index) => {
      stale.delete(node.name);
      const parts = this.#groups.get(node.name) ?? this.#add(node.name);
      this.#place(parts, node, plan.marks[index], plan, labels[index], plan.labelled[index]);
      this.#describe(parts.group, node, node === selected, node.name === model.seenBy);
    });
    for (const name of stale) {
      this.#groups.get(name).group.remove();
      this.#groups.delete(name);
    }
    this.#drawnBefore = true;
  }

  #add(name) {
    const parts = {
      leader: svg('path', { class: 'leader' }),
      hit: svg('circle', { class: 'hit' }),
      focus: svg('circle', { class: 'ring-focus' }),
      chosen: svg('circle', { class: 'ring-selected' }),
      halo: svg('circle', { class: 'dot-halo' }),
      dot: svg('circle', { class: 'dot-fill' }),
      mark: svg('text', { class: 'mark' }),
      label: svg('text', { class: 'label' }),
      eye: svg('path', { class: 'eye' }),
    };
    parts.group = svg('g', { role: 'button', tabindex: '0', 'data-node': name }, ...Object.values(parts));
    parts.group.addEventListener('click', () => this.#select(name));
    if (this.#drawnBefore)
      parts.group.dataset.fresh = '';
    this.#groups.set(name, parts);
    this.#layer.append(parts.group);
    return parts;
  }

  #place(parts, node, turn, plan, label, item) {
    const { x, y } = at(turn, plan.node, plan.centre);
    const circles = [
      [parts.hit, plan.dense ? plan.marker + 1 : plan.marker + 7], [parts.focus, plan.marker + 6.5],
      [parts.chosen, plan.marker + 4.5], [parts.halo, plan.marker + 3], [parts.dot, plan.marker - 1.25],
    ];
    for (const [circle, r] of circles)
      set(circle, { cx: x, cy: y, r });
    set(parts.mark, { x, y, 'font-size': plan.marker * 1.4 });
    parts.mark.textContent = Signs[node.state];
    const rotate = label.rotate ? `rotate(${label.rotate.toFixed(2)} ${label.x.toFixed(2)} ${label.y.toFixed(2)})` : '';
    set(parts.label, {
      x: label.x - (label.anchor === 'middle' ? item.eye / 2 : 0), y: label.y - (item.lines - 1) * plan.labelHeight / 2,
      'text-anchor': label.anchor, transform: rotate, 'font-size': plan.labelSize,
    });
    parts.label.replaceChildren(svg('tspan', { class: 'label-name' }, item.text));
    if (item.state)
      parts.label.append(svg('tspan', { class: 'label-state', x: label.x, dy: plan.labelHeight }, item.state));
    const away = Math.min(clockwise(turn, label.turn), clockwise(label.turn, turn));
    const end = at(label.turn, plan.label - 2, plan.centre);
    const start = at(turn, plan.node + plan.marker + 1, plan.centre);
    parts.leader.setAttribute('d', plan.dense || away > 0.012 ? `M${start.x} ${start.y}L${end.x} ${end.y}` : '');
    parts.eye.setAttribute('d', item.eye ? eye() : '');
    parts.eye.setAttribute('transform', item.eye ? eyePlace(label, item, plan) : '');
  }

  #describe(group, node, selected, sees) {
    group.style.setProperty('--owner', node.colour);
    group.setAttribute('class',
      `node is-${node.state}${selected ? ' is-selected' : ''}${'fresh' in group.dataset ? ' is-new' : ''}`);
    group.setAttribute('aria-pressed', String(selected));
    group.setAttribute('aria-label', [
      node.name, node.state, `owns ${many(node.owned.length, 'tile')}`, `keeps ${node.backed.length} as backup`,
      `${many(node.online, 'person', 'people')} online`, sees && 'the ring is seen through this node',
    ].filter(Boolean).join(', '));
  }

  /** Arrow keys go round the circle, Home and End to its top, Enter and Space select. */
  #walk(event) {
    const name = event.target.closest?.('[data-node]')?.dataset.node;
    if (!name)
      return;
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.#select(name);
      return;
    }
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step)
      return;
    event.preventDefault();
    const next = (this.#order.indexOf(name) + step + this.#order.length) % this.#order.length;
    this.#groups.get(this.#order[next]).group.focus();
  }
}

function set(element, attributes) {
  for (const [key, value] of Object.entries(attributes))
    element.setAttribute(key, typeof value === 'number' ? value.toFixed(2) : value);
}

/** An eye, 16 wide, its middle at 0 0: here stands who tells us about the ring. */
const eye = () => 'M-8 0Q0-8.5 8 0Q0 8.5-8 0ZM-2.3 0A2.3 2.3 0 1 0 2.3 0A2.3 2.3 0 1 0-2.3 0Z';

function eyePlace(label, item, plan) {
  if (label.anchor === 'middle')
    return `translate(${(label.x + item.width / 2 - 8).toFixed(2)} ${label.y.toFixed(2)})`;
  const along = (item.width - 8) * (label.anchor === 'start' ? 1 : -1);
  const scale = plan.small ? 0.7 : 0.8;
  return `rotate(${label.rotate} ${label.x} ${label.y}) translate(${label.x + along} ${label.y}) scale(${scale})`;
}
