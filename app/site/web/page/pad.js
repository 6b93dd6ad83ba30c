// The style pad: a hand chosen on the plane of the two directions that change the digits most.

import { afterPause, button, canvas, part } from "./element.js";
import { paintPixels, palette } from "./ink.js";
import { oneHot } from "./scene.js";
import { CELL, stitch } from "./sheet.js";
import { encodeStyle } from "./style.js";

/** @typedef {import("./desk.js").Desk} Desk */

const SPAN = 2.5; // standard deviations from the middle to the edge
const CELLS = 9; // digits along each side of the map
const STEP = 0.25; // of an arrow key
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Pad {
  /**
   * @param {Desk} desk
   * @param {import("./artist.js").Artist} artist
   * @param {import("./scene.js").Facts} facts
   */
  constructor(desk, artist, facts) {
    this.desk = desk;
    this.artist = artist;
    this.facts = facts;
    this.element = part("#pad");
    /** @type {Float32Array} */
    this.middle = new Float32Array(facts.latent);
    this.x = this.y = 0;
    this.redraw = afterPause(150, () => this.drawMap());
    this.listen();
    const seen = new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      seen.disconnect();
      this.drawMap();
    });
    seen.observe(this.element);
    let digit = desk.order.digits[0];
    desk.addEventListener("change", () => {
      if (digit !== (digit = desk.order.digits[0])) this.redraw();
      if (desk.order.style === null) this.rest();
    });
  }

  listen() {
    /** @param {PointerEvent} event */
    const follow = (event) => {
      const box = this.element.getBoundingClientRect();
      const [across, down] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      this.move((2 * across - 1) * SPAN, (2 * down - 1) * SPAN);
    };
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      follow(event);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (event.buttons) follow(event);
    });
    this.element.addEventListener("keydown", (event) => {
      const way = ARROWS[event.key];
      if (!way && event.key !== "Home") return;
      event.preventDefault();
      if (way) this.move(this.x + way[0] * STEP, this.y + way[1] * STEP);
      else this.move(0, 0);
    });
  }

  /**
   * Choose the hand at a place.
   * @param {number} x standard deviations along the first direction
   * @param {number} y along the second
   */
  async move(x, y) {
    this.x = Math.max(-SPAN, Math.min(SPAN, x));
    this.y = Math.max(-SPAN, Math.min(SPAN, y));
    const noise = await this.noise(this.x, this.y);
    this.mark(`across ${this.x.toFixed(2)}, down ${this.y.toFixed(2)}`);
    // With every digit in a hand of its own, as without a style, the choice would not be seen.
    const variation = this.desk.order.variation === 1 ? null : this.desk.order.variation;
    this.desk.change({ style: encodeStyle(noise, this.facts.model), variation });
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  async noise(x, y) {
    const { across, down } = await this.artist.directions(this.facts.latent);
    return this.middle.map((value, z) => value + x * across[z] + y * down[z]);
  }

  /** @param {string} text */
  mark(text) {
    const dot = /** @type {HTMLElement} */ (this.element.querySelector(".dot"));
    dot.hidden = false;
    dot.style.setProperty("--x", String(this.x / SPAN));
    dot.style.setProperty("--y", String(this.y / SPAN));
    this.element.setAttribute("aria-valuenow", this.x.toFixed(2));
    this.element.setAttribute("aria-valuetext", text);
  }

  /** No hand is chosen: the dot leaves, the middle is the most typical hand again. */
  rest() {
    this.x = this.y = 0;
    /** @type {HTMLElement} */ (this.element.querySelector(".dot")).hidden = true;
    this.element.setAttribute("aria-valuetext", "not in use");
    if (this.middle.some(Boolean)) this.centre(new Float32Array(this.facts.latent));
  }

  /**
   * Lay another hand into the middle.
   * @param {Float32Array} noise (Z,)
   */
  centre(noise) {
    this.middle = noise;
    this.x = this.y = 0;
    if (noise.some(Boolean)) this.mark("the hand you gave");
    this.redraw();
  }

  async drawMap() {
    const label = oneHot(Number(this.desk.order.digits[0] ?? "2"), this.facts.classes);
    const steps = Array.from({ length: CELLS }, (_, i) => ((2 * (i + 0.5)) / CELLS - 1) * SPAN);
    const noises = await Promise.all(steps.flatMap((y) => steps.map((x) => this.noise(x, y))));
    const cells = noises.map((noise) => ({ noise, label, presence: 1 }));
    const pictures = await this.artist.draw({ rows: CELLS, count: CELLS, cells });
    const map = /** @type {HTMLCanvasElement} */ (this.element.querySelector("canvas"));
    const ink = getComputedStyle(this.element).color.match(/\d+/g) ?? ["0", "0", "0"];
    const hex = ink.slice(0, 3).map((value) => Number(value).toString(16).padStart(2, "0"));
    paintPixels(map, stitch(pictures, CELLS, CELLS, "cell", 0), palette(hex.join(""), "transparent"));
    map.width === CELLS * CELL && (this.element.dataset.state = "ready");
  }
}

/** Without the browser's own drawing there is no pad. */
export function closePad() {
  canvas("#pad canvas").hidden = true;
  part("#pad").setAttribute("aria-disabled", "true");
  part("#pad").tabIndex = -1;
  part("#pad-help").textContent = "The pad needs the browser's own drawing, which is not to be had here.";
}

/**
 * Say which hand is chosen, and let it go.
 * @param {Desk} desk
 */
export function bindStyle(desk) {
  const show = () => {
    const chosen = desk.order.style !== null;
    part("#style-said").textContent = chosen
      ? "All digits are in the chosen hand; the link keeps it."
      : "No hand chosen: each seed brings its own.";
    button("#style-drop").hidden = !chosen;
  };
  button("#style-drop").addEventListener("click", () => desk.change({ style: null, variation: null }));
  desk.addEventListener("change", show);
  show();
}
