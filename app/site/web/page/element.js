// Finds the page's own elements, with their types.

/**
 * @template {Element} T
 * @param {string} selector of an element in index.html
 * @param {{new (): T}} type
 * @returns {T}
 */
export function find(selector, type) {
  const element = document.querySelector(selector);
  if (!(element instanceof type)) throw new Error(`The page has no ${type.name} at ${selector}.`);
  return element;
}

/** @param {string} selector */
export const input = (selector) => find(selector, HTMLInputElement);
/** @param {string} selector */
export const button = (selector) => find(selector, HTMLButtonElement);
/** @param {string} selector */
export const canvas = (selector) => find(selector, HTMLCanvasElement);
/** @param {string} selector */
export const part = (selector) => find(selector, HTMLElement);
