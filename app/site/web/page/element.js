// Finding the page's own elements, with their types.

/**
 * @template {Element} T
 * @param {string} selector of an element that index.html has
 * @param {{new (): T}} kind
 * @returns {T}
 */
export function find(selector, kind) {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`The page has no ${kind.name} at ${selector}.`);
  return found;
}

/** @param {string} selector */
export const input = (selector) => find(selector, HTMLInputElement);
/** @param {string} selector */
export const button = (selector) => find(selector, HTMLButtonElement);
/** @param {string} selector */
export const canvas = (selector) => find(selector, HTMLCanvasElement);
/** @param {string} selector */
export const part = (selector) => find(selector, HTMLElement);

/**
 * Call `act` when there was no call for a while.
 * @param {number} milliseconds
 * @param {() => void} act
 */
export function afterPause(milliseconds, act) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, milliseconds);
  };
}
