// The lists beside the ring: figures, nodes, people, events, and the selected node's card.

import { html, refill } from './dom.js';
import { eventRows } from './events.js';
import { brief, count, many, point, share, since } from './words.js';

const byId = id => document.getElementById(id);
const PeopleShown = 300;
const NamesHidden = 'Nodes show names only to a page with a viewer\'s certificate. '
  + './startup.sh starts the page with one.';
const Close = { class: 'plain', type: 'button', 'data-key': 'close' };

export class Panels {
  #select;
  #heard = null; // the newest event that was said aloud

  constructor(select) {
    this.#select = select;
  }

  render(model, selected, notes) {
    for (const id of ['figures', 'nodes-card', 'people-card', 'events-card'])
      byId(id).hidden = false;
    this.#figures(model);
    this.#nodes(model);
    this.#card(model, selected);
    this.#people(model);
    const events = [...model.events, ...notes].sort((a, b) => b.atMs - a.atMs);
    refill(byId('events'), events.map(e => [e.atMs, e.text]), () => events.length
      ? eventRows(events)
      : html('p', { class: 'hint' }, 'Nothing yet.'));
    this.#say(model.events);
  }

  #figures(model) {
    const alive = model.nodes.filter(node => node.state === 'alive').length;
    const sum = field => model.nodes.reduce((total, node) => total + node[field], 0);
    const figures = [
      ['nodes alive', alive, alive < model.nodes.length ? `/${model.nodes.length}` : ''],
      ['online', model.online, ''],
      ['records', sum('ownRecords'), ''],
      ['backups', sum('backupRecords'), ''],
    ];
    refill(byId('figures'), figures, () => figures.map(([name, value, of]) =>
      html('div', {}, html('dt', {}, name), html('dd', {}, brief(value), html('small', {}, of)))));
  }

  #nodes(model) {
    const rows = model.named.map(n => [n.name, n.state, n.online, n.ownRecords, n.backupRecords, n.colour]);
    refill(byId('nodes'), rows, () => [
      html('div', { class: 'row head', 'aria-hidden': 'true' },
        ['', 'name', 'people', 'own', 'backups'].map(name => html('span', {}, name))),
      html('div', { class: 'rows' }, model.named.map(node => this.#row(node))),
    ]);
  }

  #row(node) {
    const state = node.state === 'alive' ? '' : ` ${node.state}`;
    return html('button', {
      class: `row is-${node.state}`, type: 'button', 'data-key': node.name, 'data-row': node.name,
      'aria-label': `${node.name}, ${node.state}, ${many(node.online, 'person', 'people')} online, `
        + `${many(node.ownRecords, 'own record')}, ${many(node.backupRecords, 'backup')}`,
      onclick: () => this.#select(node.name),
    },
    html('i', { class: `dot${node.state === 'dead' ? ' off' : ''}`, owner: node.colour }),
    html('span', {}, node.name, html('small', {}, state)),
    html('span', {}, count(node.online)),
    html('span', {}, brief(node.ownRecords)),
    html('span', {}, brief(node.backupRecords)));
  }

  #card(model, node) {
    const card = byId('node-card');
    card.hidden = !node;
    if (!node)
      return;
    const minute = Math.floor(Date.now() / 60000);
    refill(card, [node.name, node.state, node.address, node.ownRecords, node.backupRecords, node.sessions, node.users,
      node.predecessorAt, node.successorsAt, node.fingersAt, node.owned.length, node.backed.length, minute], () => [
      html('div', { class: 'node-head' },
        html('i', { class: `dot${node.state === 'dead' ? ' off' : ''}`, owner: node.colour }),
        html('h2', { id: 'node-title' }, node.name),
        html('span', { class: `state is-${node.state}` }, node.state),
        html('button', { ...Close, onclick: () => this.#select(node.name) }, 'Close')),
      html('dl', { class: 'trio' },
        figure('own records', node.ownRecords),
        figure('kept for others', node.backupRecords),
        figure('sessions', node.sessions)),
      html('dl', { class: 'facts' }, this.#facts(node, model.namesHidden)),
    ]);
  }

  #facts(node, namesHidden) {
    const facts = [
      ['Address', html('code', {}, node.address || 'unknown')],
      ['Position', html('code', { title: node.position }, point(node.position))],
      ['Range', html('span', {},
        html('code', {}, `${point(node.fromAt)} to ${point(node.position)}`), `, ${share(node.share)} of the circle`)],
      ['Tiles', `owns ${node.owned.length}, keeps ${node.backed.length} as backup`],
      ['Node id', html('code', { title: node.id }, `${node.id.slice(0, 16)}…`)],
      node.sinceMs > 0 && node.state !== 'dead' && ['Up for', since(node.sinceMs)],
      ['Predecessor', node.predecessor ? this.#chips([node.predecessor]) : 'none known'],
      ['Successors', node.successors.length ? this.#chips(node.successors) : 'none known'],
      ['Fingers', node.fingers.length ? html('div', { class: 'chips' }, node.fingers.map(({ target, from, to }) =>
        this.#chip(target, from === to ? `${to}` : `${from} to ${to}`))) : 'none known'],
      ['People', node.users.length ? html('div', { class: 'chips' }, node.users.map(user =>
        html('span', { class: 'chip' }, html('span', {}, user))))
        : namesHidden ? many(node.online, 'person', 'people') : 'nobody here'],
    ];
    return facts.filter(Boolean).flatMap(([name, value]) => [html('dt', {}, name), html('dd', {}, value)]);
  }

  #chips(nodes) {
    return html('div', { class: 'chips' }, nodes.map(node => this.#chip(node)));
  }

  #chip(node, before) {
    const text = before ? `${before}: ${node.name}` : node.name;
    return html('button', { class: 'chip', type: 'button', onclick: () => this.#select(node.name) },
      html('i', { class: 'dot', owner: node.colour }), html('span', {}, text));
  }

  #people(model) {
    const people = model.people;
    refill(byId('people'), [model.namesHidden, ...people.map(p => [p.user, p.node.name, p.node.colour])], () => {
      if (model.namesHidden)
        return html('p', { class: 'hint' }, NamesHidden);
      if (people.length === 0)
        return html('p', { class: 'hint' }, 'Nobody is logged in. Try ./chordchat in a terminal.');
      const more = people.length - PeopleShown;
      return html('ul', { class: 'chips' }, people.slice(0, PeopleShown).map(({ user, node }) =>
        html('li', { class: 'chip', title: `${user} at ${node.name}` },
          html('i', { class: 'dot', owner: node.colour }), html('span', {}, user))),
      more > 0 && html('li', { class: 'chip' }, html('span', {}, `and ${count(more)} more`)));
    });
    const title = byId('people-title');
    title.replaceChildren('Online ', html('span', { class: 'count' }, count(model.online)));
  }

  /** Reads new events aloud, except moved tiles: those come by the dozen. */
  #say(events) {
    const newest = Math.max(0, ...events.map(e => e.number));
    if (this.#heard !== null) {
      const fresh = events.filter(e => e.number > this.#heard && e.kind !== 'tile_moved');
      if (fresh.length)
        byId('said').textContent = fresh.map(e => e.text).join('. ');
    }
    this.#heard = newest;
  }
}

const figure = (name, value) => html('div', {}, html('dt', {}, name), html('dd', {}, brief(value)));
