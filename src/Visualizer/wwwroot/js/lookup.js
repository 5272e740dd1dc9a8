// Looks a name up and shows the way there, one hop after the other.

import { html, refill } from './dom.js';
import { point, reason } from './words.js';

const HopMs = 760;
const Clear = { class: 'plain', type: 'button', 'data-key': 'clear' };
const still = matchMedia('(prefers-reduced-motion: reduce)');

export class Lookup {
  #form = document.getElementById('lookup');
  #result = document.getElementById('lookup-result');
  #show;
  #nodeAt;
  #select;
  #trace = null;
  #problem = '';
  #number = 0;
  #timer;

  /**
   * @param show called with the trace to draw, or null
   * @param nodeAt the node at a position, as now known
   */
  constructor(show, nodeAt, select) {
    this.#show = show;
    this.#nodeAt = nodeAt;
    this.#select = select;
    this.#form.addEventListener('submit', event => {
      event.preventDefault();
      this.#ask(this.#form.elements.name.value.trim());
    });
  }

  async #ask(name) {
    if (!name) {
      this.#form.elements.name.focus();
      return;
    }
    const button = this.#form.querySelector('button');
    const number = ++this.#number;
    this.#clear();
    button.disabled = true;
    try {
      const answer = await fetch(`trace?name=${encodeURIComponent(name)}`, {
        headers: { 'X-Chordchat-Page': '1' }, // No other site can send it.
        signal: AbortSignal.timeout(8000),
      });
      const body = await answer.json();
      if (number !== this.#number)
        return;
      if (answer.ok)
        this.#start({ ...body, name, number, shown: 0, still: still.matches });
      else
        this.#fail(body.error.message);
    } catch {
      this.#fail('The visualizer did not answer. Try again.');
    } finally {
      button.disabled = false;
    }
  }

  #start(trace) {
    this.#trace = trace;
    if (trace.still)
      trace.shown = trace.hops.length - 1;
    this.#step();
  }

  #step() {
    const trace = this.#trace;
    this.#show({ ...trace });
    this.refresh();
    if (trace.shown >= trace.hops.length - 1)
      return;
    this.#timer = setTimeout(() => {
      trace.shown++;
      this.#step();
    }, trace.shown === 0 ? 350 : HopMs);
  }

  #fail(problem) {
    this.#problem = problem;
    this.refresh();
  }

  #clear() {
    clearTimeout(this.#timer);
    this.#trace = null;
    this.#problem = '';
    this.#show(null);
    this.refresh();
  }

  /** Draws the result again: who keeps the tile may have changed colour or gone. */
  refresh() {
    const trace = this.#trace;
    refill(this.#result, [trace?.number, trace?.shown, this.#problem], () => {
      if (this.#problem)
        return html('p', { class: 'problem' }, this.#problem);
      return trace ? [this.#hops(trace), this.#answer(trace)].filter(Boolean) : [];
    });
  }

  #hops(trace) {
    return html('ol', { class: 'hops', 'aria-label': `The way to ${trace.name}` }, trace.hops.map((hop, i) =>
      html('li', { class: i > trace.shown ? 'pending' : '' },
        html('span', { class: 'step' }, `${i + 1}`),
        html('span', {}, html('b', {}, hop.name), html('span', { class: 'why' }, ` ${this.#reason(trace, hop)}`)),
        html('span', { class: 'ms' }, i === 0 ? '' : `${hop.ms < 10 ? hop.ms.toFixed(1) : Math.round(hop.ms)} ms`))));
  }

  /** A node that is asked for what it owns itself has nowhere to go. */
  #reason(trace, hop) {
    const alone = trace.hops.length === 1 && trace.members[0] === hop.position;
    return alone ? 'was asked, and owns the tile itself' : reason(hop.why);
  }

  #answer(trace) {
    if (trace.shown < trace.hops.length - 1)
      return null;
    return html('div', { class: 'answer' },
      html('p', {}, 'The mailbox of ', html('b', {}, trace.name), ` is in tile ${trace.tile}, kept by`),
      html('div', { class: 'chips' }, trace.members.map(position => {
        const node = this.#nodeAt(position);
        const name = node?.name ?? point(position);
        const onclick = () => node && this.#select(node.name);
        return html('button', { class: 'chip', type: 'button', 'data-key': name, onclick },
          html('i', { class: 'dot', owner: node?.colour ?? 'var(--quiet)' }), html('span', {}, name));
      }), html('button', { ...Clear, onclick: () => this.#clear() }, 'Clear')));
  }
}
