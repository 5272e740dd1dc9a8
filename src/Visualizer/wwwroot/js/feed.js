// The live feed: snapshots of the ring, and news of whose eyes they come from.

const SilenceMs = 7000; // the feed beats every 2 s

/**
 * Follows /feed for as long as the page is open.
 * @param on {ring(snapshot), eyes(news), lost()}; lost: the visualizer itself does not answer
 */
export function follow(on) {
  let watch;
  const heard = () => {
    clearTimeout(watch);
    watch = setTimeout(on.lost, SilenceMs);
  };
  const open = () => {
    const source = new EventSource('feed');
    const listen = (name, take) => source.addEventListener(name, event => {
      heard();
      take?.(JSON.parse(event.data));
    });
    listen('ring', on.ring);
    listen('eyes', on.eyes);
    listen('beat');
    source.addEventListener('error', () => {
      on.lost();
      // The browser tries again by itself, except after an answer that is no feed.
      if (source.readyState === EventSource.CLOSED)
        setTimeout(open, 1500);
    });
  };
  open();
}
