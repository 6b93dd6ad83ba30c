// Delays an action until its triggers pause.

/**
 * A function that calls `act` once it has not been called for a while.
 * @param {number} milliseconds
 * @param {() => void} act
 */
export function debounce(milliseconds, act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };
}
