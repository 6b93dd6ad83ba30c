// Keeps small texts in the browser's storage, or until the page is closed where storage is denied.

/** @typedef {"localStorage" | "sessionStorage"} Kind */

/** @type {Map<string, string>} */
const memory = new Map();

/**
 * @param {Kind} kind
 * @param {string} key
 * @returns {string | null} null: there is none
 */
export function readStored(kind, key) {
  try {
    return window[kind].getItem(key);
  } catch {
    return memory.get(key) ?? null;
  }
}

/**
 * @param {Kind} kind
 * @param {string} key
 * @param {string} text
 */
export function writeStored(kind, key, text) {
  try {
    window[kind].setItem(key, text);
  } catch {
    memory.set(key, text);
  }
}
