// The last pictures, kept in this browser as links and drawn anew from them.

import { afterPause, button, part } from "./element.js";
import { paintPixels, palette } from "./ink.js";
import { DEFAULTS, pageQuery, readOrder } from "./order.js";
import { sceneOf } from "./scene.js";
import { stitch } from "./sheet.js";

/** @typedef {import("./order.js").Order} Order */

const PLACE = "cvae-digits-past";
const MOST = 12;
const PAUSE_MS = 1200; // a picture that stands so long is worth keeping

/**
 * @param {import("./desk.js").Desk} desk
 * @param {import("./stage.js").Stage} stage
 */
export function bindPast(desk, stage) {
  const list = part("#past");
  /** @type {string[]} */
  let kept = recall();

  const show = () => {
    list.replaceChildren(...kept.map((query) => item(query, desk, stage)));
    part("#past-title").hidden = button("#forget").hidden = kept.length === 0;
    localStorage.setItem(PLACE, JSON.stringify(kept));
  };
  const keep = afterPause(PAUSE_MS, () => {
    if (!desk.order.digits) return;
    const query = pageQuery(desk.order);
    if (kept[0] === query) return;
    kept = [query, ...kept.filter((other) => other !== query)].slice(0, MOST);
    show();
  });
  stage.addEventListener("shown", keep);
  button("#forget").addEventListener("click", () => {
    kept = [];
    show();
  });
  show();
}

/** @returns {string[]} */
function recall() {
  try {
    const kept = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
    return Array.isArray(kept) ? kept.map(String).slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/**
 * @param {string} query
 * @param {import("./desk.js").Desk} desk
 * @param {import("./stage.js").Stage} stage
 */
function item(query, desk, stage) {
  const { order } = readOrder(query, DEFAULTS);
  const press = document.createElement("button");
  press.type = "button";
  press.setAttribute("aria-label", `${order.digits}, seed ${order.seed}, again`);
  press.title = order.digits;
  if (order.paper !== "transparent") press.style.setProperty("--paper", `#${order.paper}`);
  press.append(thumbnail(order, stage));
  press.addEventListener("click", () => desk.change({ ...order }));
  const entry = document.createElement("li");
  entry.append(press);
  return entry;
}

/**
 * @param {Order} order
 * @param {import("./stage.js").Stage} stage
 */
function thumbnail(order, { artist, facts, service }) {
  if (!artist) {
    const picture = new Image();
    picture.src = service?.link({ ...order, scale: 1 }) ?? "";
    picture.alt = "";
    return picture;
  }
  const canvas = document.createElement("canvas");
  canvas.height = canvas.width = 28;
  const draw = async () => {
    const scene = sceneOf(order, facts);
    const sheet = stitch(await artist.draw(scene), scene.rows, scene.count, order.spacing, order.gap);
    paintPixels(canvas, sheet, palette(order.ink, order.paper));
  };
  draw().catch(() => canvas.replaceWith(order.digits)); // its style is of a model that is gone
  return canvas;
}
