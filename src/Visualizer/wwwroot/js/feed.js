// The live feed: snapshots of the ring, and news of whose eyes they come from.

const SilenceMs = 7000; // the feed beats every 2 s
const StallMs = 1000;

/**
 * Follows /feed for as long as the page is open.
 * @param on {ring(snapshot), eyes(news), beat(), lost()}; lost: the visualizer itself does not answer, until
 * anything else is called
 */
export function follow(on) {
  let watch;
  const open = () => {
    const source = new EventSource('feed');
    let heardAt;
    const heard = () => {
      clearTimeout(watch);
      heardAt = performance.now();
      watch = setTimeout(silent, SilenceMs);
    };
    // A connection that says nothing may be dead without the browser knowing.
    const silent = () => {
      if (performance.now() - heardAt > SilenceMs + StallMs)
        return heard(); // This page itself stood still; what came meanwhile is read next.
      source.close();
      on.lost();
      open();
    };
    const listen = (name, take) => source.addEventListener(name, event => {
      heard();
      take(JSON.parse(event.data));
    });
    listen('ring', on.ring);
    listen('eyes', on.eyes);
    listen('beat', on.beat);
    heard();
    source.addEventListener('error', () => {
      on.lost();
      // The browser tries again by itself, except after an answer that is no feed.
      if (source.readyState === EventSource.CLOSED)
        setTimeout(open, 1500);
    });
  };
  open();
}
