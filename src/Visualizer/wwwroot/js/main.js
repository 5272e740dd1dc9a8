// Puts the page together: what is known, what is selected, and who draws it.

import { html } from './dom.js';
import { follow } from './feed.js';
import { Lookup } from './lookup.js';
import { modelOf } from './model.js';
import { Panels } from './panels.js';
import { RingView } from './ring.js';
import { many, time } from './words.js';

const byId = id => document.getElementById(id);
const view = { snapshot: null, model: null, selectedName: null, eyes: null, feed: 'connecting', trace: null };
const FEED_WORDS = { connecting: 'Connecting', heard: 'Looking for a node', lost: 'Visualizer does not answer' };
let due = false;
let isNew = false; // what the model is made of

const tip = {
  show(tile, { x, y }) {
    const names = tile.members.map(member => member?.name ?? 'unknown');
    const backups = names.length > 1 ? `, backed by ${names.slice(1).join(', ')}` : '';
    const phase = tile.phase === 'active' ? '' : ` · ${tile.phase}`;
    const box = byId('tip');
    const rest = `${backups} · tile ${tile.name}, epoch ${tile.epoch}${phase}`;
    box.replaceChildren(html('b', {}, names[0] ?? 'nobody'), rest);
    box.hidden = false;
    const left = byId('ring-box').offsetLeft + x;
    box.style.left = `${Math.min(Math.max(left, 130), byId('ring-box').parentElement.clientWidth - 130)}px`;
    box.style.top = `${byId('ring-box').offsetTop + y}px`;
  },
  hide() { byId('tip').hidden = true; },
};

const ring = new RingView(byId('ring'), select, tip);
const panels = new Panels(select);
const lookup = new Lookup(show, position => view.model?.byPosition.get(position), select);

function show(trace) {
  view.trace = trace;
  draw();
}

function select(name) {
  view.selectedName = name === view.selectedName ? null : name;
  draw();
}

/** Draws once a frame at most, however much has changed. */
function draw() {
  if (due)
    return;
  due = true;
  // A hidden page gets no frames; it is drawn when it is looked at again.
  requestAnimationFrame(() => {
    due = false;
    drawNow();
  });
}

function drawNow() {
  if (isNew)
    view.model = view.snapshot && modelOf(view.snapshot, view.eyes?.silent);
  isNew = false;
  const { model } = view;
  drawEyes();
  byId('empty').hidden = Boolean(model);
  byId('legend').hidden = !model;
  document.body.classList.toggle('no-ring', !model);
  if (!model)
    return;
  const selected = model.byName.get(view.selectedName);
  if (!selected)
    view.selectedName = null;
  ring.render({ model, selected, trace: view.trace });
  panels.render(model, selected, view.eyes?.notes ?? []);
  lookup.refresh();
}

/** Who tells us, and what is wrong when nobody does. */
function drawEyes() {
  const { eyes, model, feed } = view;
  const connected = feed === 'heard';
  const live = connected && eyes?.state === 'watching' && model;
  document.body.dataset.feed = !connected ? feed : live ? 'live' : 'searching';
  byId('cluster').hidden = !model;
  byId('cluster').lastElementChild.textContent = model?.cluster.slice(0, 8) ?? '';
  const alive = model?.nodes.filter(node => node.state === 'alive').length;
  document.title = model ? `ChordChat ring: ${many(alive, 'node')}` : 'ChordChat ring';
  const text = live
    ? ['Live, seen through ', html('b', {}, eyes.node), ` at ${eyes.address}`]
    : [FEED_WORDS[feed]];
  if (byId('eyes-text').textContent !== text.map(part => part.textContent ?? part).join(''))
    byId('eyes-text').replaceChildren(...text);
  const last = model ? `This is the ring as it was at ${time(model.atMs)}.` : '';
  if (feed === 'lost')
    banner(`The visualizer itself does not answer. Trying again. ${last}`.trim());
  else
    banner(connected && model && eyes?.state === 'searching' ? `No node answers any more. ${last} ${eyes.text}`.trim() : '');
  if (!model)
    drawEmpty(eyes, connected);
}

function banner(text) {
  byId('banner').hidden = !text;
  if (byId('banner').textContent !== text)
    byId('banner').textContent = text;
}

function drawEmpty(eyes, connected) {
  const searching = connected && eyes?.state === 'searching' && eyes.rounds > 0;
  byId('empty-title').textContent = searching ? 'No node answers' : 'Looking for a node';
  const advice = eyes?.text || 'Start some; this page will find them by itself.';
  byId('empty-text').textContent = searching ? advice : 'One moment.';
  byId('empty-command').hidden = !searching;
  byId('empty-tried').textContent = searching && eyes.tried.length ? `Tried ${eyes.tried.join(', ')}` : '';
}

function learn() {
  view.feed = 'heard';
  isNew = true; // Of all pictures that come before the next frame, only the newest is worked out.
  draw();
}

follow({
  ring(snapshot) { view.snapshot = snapshot; learn(); },
  eyes(news) { view.eyes = news; learn(); },
  beat() { if (view.feed !== 'heard') learn(); },
  lost() { view.feed = 'lost'; draw(); },
});
new ResizeObserver(draw).observe(byId('ring-box'));
document.addEventListener('keydown', event => {
  if (event.key === 'Escape' && view.selectedName)
    select(view.selectedName);
});
document.addEventListener('visibilitychange', draw);
