// The last pictures, stored in this browser as links and drawn again from them.

import { debounce } from "./debounce.js";
import { gridOf } from "./digit-grid.js";
import { button, part } from "./element.js";
import { sheetOf } from "./marks.js";
import { paintPixels, palette } from "./painter.js";
import { DEFAULTS, pageQueryString, readQuery, writtenIn } from "./query.js";
import { readStored, writeStored } from "./storage.js";

/** @typedef {import("./picture-view.js").PictureView} PictureView */
/** @typedef {import("./query.js").Query} Query */
/** @typedef {import("./store.js").Store} Store */

const STORAGE_KEY = "cvae-digits-past";
const MAX_ENTRIES = 12;
const PAUSE_MS = 1200; // a picture that changes sooner is not stored

/**
 * @param {Store} store
 * @param {PictureView} view
 */
export function bindHistory(store, view) {
  const list = part("#history");
  /** @type {string[]} */
  let links = readLinks();

  const show = () => {
    list.replaceChildren(...links.map((link) => entry(link, store, view)));
    part("#past").classList.toggle("empty", links.length === 0); // it keeps its place
    writeStored("localStorage", STORAGE_KEY, JSON.stringify(links));
  };
  const add = debounce(PAUSE_MS, () => {
    if (!store.query.digits) return;
    const link = pageQueryString(store.query);
    if (links[0] === link) return;
    links = [link, ...links.filter((other) => other !== link)].slice(0, MAX_ENTRIES);
    show();
  });
  view.addEventListener("shown", add);
  button("#clear-history").addEventListener("click", () => {
    links = [];
    show();
  });
  show();
}

/** @returns {string[]} */
function readLinks() {
  try {
    const links = JSON.parse(readStored("localStorage", STORAGE_KEY) ?? "[]");
    return Array.isArray(links) ? links.map(String).slice(0, MAX_ENTRIES) : [];
  } catch {
    return [];
  }
}

/**
 * @param {string} link
 * @param {Store} store
 * @param {PictureView} view
 */
function entry(link, store, view) {
  const { query } = readQuery(link, DEFAULTS);
  const open = document.createElement("button");
  open.type = "button";
  open.setAttribute("aria-label", `Draw ${writtenIn(query)} with seed ${query.seed} again`);
  open.title = writtenIn(query);
  if (query.paper !== "transparent") open.style.setProperty("--paper", `#${query.paper}`);
  open.append(thumbnail(query, view));
  open.addEventListener("click", () => store.change({ ...query }));
  const item = document.createElement("li");
  item.append(open);
  return item;
}

/**
 * @param {Query} query
 * @param {PictureView} view
 */
function thumbnail(query, { decoder, model, service }) {
  if (!decoder) {
    const image = new Image();
    image.src = service?.link({ ...query, scale: 1 }) ?? "";
    image.alt = "";
    return image;
  }
  const canvas = document.createElement("canvas");
  canvas.height = canvas.width = 28;
  const draw = async () => {
    const grid = gridOf(query, model);
    const sheet = sheetOf(await decoder.draw(grid), grid, query);
    paintPixels(canvas, sheet, palette(query.ink, query.paper));
  };
  draw().catch(() => canvas.replaceWith(writtenIn(query))); // its style belongs to a different model
  return canvas;
}
