// How numbers, times and points of the circle are written.

const whole = new Intl.NumberFormat('en');
const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });

export const count = n => whole.format(n);

/** Short enough for a figure: 1,234 stays, 12,345 becomes 12.3 k. */
export function brief(n) {
  if (n < 1e4)
    return count(n);
  return n < 1e6 ? `${(n / 1e3).toFixed(n < 1e5 ? 1 : 0)} k` : `${(n / 1e6).toFixed(1)} M`;
}

export const many = (n, one, more = `${one}s`) => `${count(n)} ${n === 1 ? one : more}`;
export const time = ms => clock.format(new Date(ms));
export const share = part => `${(part * 100).toFixed(part < 0.1 ? 1 : 0)} %`;

/** The first digits of a point, enough to tell it from the others by eye. */
export const point = hex => hex ? `${hex.slice(0, 8)}…` : '?';

export function since(ms) {
  const seconds = Math.max(0, Math.round((Date.now() - ms) / 1000));
  if (seconds < 90)
    return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 90)
    return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

export const States = {
  ALIVE: 'alive', SUSPECT: 'suspect', DEAD: 'dead', LEAVING: 'leaving', JOINING: 'joining',
};

/** A hop's reason in words that need no paper. */
export function reason(why) {
  const finger = /^finger (\d+)$/.exec(why);
  if (finger)
    return `finger ${finger[1]}: jumps at least 1/${whole.format(2 ** (128 - Number(finger[1])))} of the circle`;
  return {
    start: 'was asked',
    successor: 'is among its successors',
    owner: 'owns the tile',
  }[why] ?? why;
}
