// Making elements, and replacing them only when what they show has changed.

const Svg = 'http://www.w3.org/2000/svg';

/** An SVG element. `owner` sets the colour that the style sheet calls --owner. */
export function svg(name, attributes = {}, ...children) {
  return fill(document.createElementNS(Svg, name), attributes, children);
}

/** An HTML element; `onclick` and the like are listeners. */
export function html(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === 'owner')
      element.style.setProperty('--owner', value);
    else if (key.startsWith('on'))
      element.addEventListener(key.slice(2), value);
    else if (value !== undefined && value !== null && value !== false)
      element.setAttribute(key, value === true ? '' : value);
  }
  element.append(...children.flat().filter(child => child !== undefined && child !== null && child !== false));
  return element;
}

/**
 * Rebuilds what is in `box` when `signature` differs from the last time, and gives the focus back to the element
 * with the same data-key, the same for what was unfolded and scrolled: a reader must not lose the place each time
 * the ring changes.
 */
export function refill(box, signature, build) {
  const text = JSON.stringify(signature);
  if (box.shown === text)
    return;
  box.shown = text;
  const key = box.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  const open = [...box.querySelectorAll('details[open] > summary')].map(summary => summary.dataset.key);
  const scrolled = box.querySelector('.rows')?.scrollTop ?? 0;
  box.replaceChildren(...[build()].flat().filter(Boolean));
  const keyed = wanted => box.querySelector(`[data-key="${CSS.escape(wanted)}"]`);
  for (const summary of open)
    keyed(summary)?.parentElement.setAttribute('open', '');
  if (scrolled)
    box.querySelector('.rows').scrollTop = scrolled;
  if (key)
    keyed(key)?.focus({ preventScroll: true });
}
