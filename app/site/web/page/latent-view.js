// The map of the latent space: real digits where the encoder puts them, along two directions.

import { interpolate, oneHot } from "./digit-grid.js";
import { canvas, part } from "./element.js";
import { paintRow } from "./hands-view.js";
import { cssColour } from "./network-view.js";

/** @typedef {import("./latent-space.js").LatentSpace} LatentSpace */

const SPAN = 2.2; // standard deviations from the centre to the edge
const STEP = 0.2; // of an arrow key
const DOT = 2.2; // CSS pixels
const WALK = 24; // pictures on the way from one digit to another
const WALK_MS = 40; // between two of them
const HUES = 360; // degrees, shared out among the labels
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class LatentView {
  /**
   * @param {import("./decoder-client.js").DecoderClient} decoder
   * @param {LatentSpace} space
   * @param {import("./digit-grid.js").Model & {names: string[]}} model
   */
  constructor(decoder, space, model) {
    this.decoder = decoder;
    this.space = space;
    this.model = model;
    this.element = canvas("#latent-map");
    const { slant, width } = space.directions;
    this.places = space.means.map((mean) => [dot(mean, slant), dot(mean, width)]);
    this.x = this.y = 0;
    this.busy = false;
    /** @type {symbol | null} the walk that goes on, until something else is decoded */
    this.walking = null;
    /** @type {number | null} the digit from which the pointer is dragged */
    this.start = null;
    this.listen();
    this.addKey();
    new ResizeObserver(() => this.paint()).observe(this.element);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
    this.moveTo(0, 0);
  }

  listen() {
    /** @param {PointerEvent} event */
    const placeOf = ({ clientX, clientY }) => {
      const { left, top, width, height } = this.element.getBoundingClientRect();
      return /** @type {const} */ ([(2 * (clientX - left) / width - 1) * SPAN, (1 - 2 * (clientY - top) / height) * SPAN]);
    };
    this.element.addEventListener("pointermove", (event) => {
      const hovers = event.pointerType === "mouse" && !this.walking; // a hand is never quite still
      if (event.buttons || hovers) this.moveTo(...placeOf(event));
    });
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      this.moveTo(...placeOf(event));
      this.start = this.nearest(...placeOf(event));
    });
    this.element.addEventListener("pointerup", (event) => {
      const [start, end] = [this.start, this.nearest(...placeOf(event))];
      this.start = null;
      if (start !== null && start !== end) this.walk(start, end);
    });
    this.element.addEventListener("pointercancel", () => (this.start = null));
    this.element.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow) return;
      event.preventDefault();
      this.moveTo(this.x + arrow[0] * STEP, this.y + arrow[1] * STEP);
    });
  }

  addKey() {
    this.model.names.forEach((name, label) => {
      const entry = document.createElement("li");
      entry.textContent = name;
      entry.style.setProperty("--dot", this.colour(label));
      part("#latent-key").append(entry);
    });
  }

  /** @param {number} label */
  colour(label) {
    return `oklch(${cssColour("--dot-lightness")} 0.17 ${Math.round((HUES * label) / this.model.classes)})`;
  }

  /**
   * Decode the nearest digit, moved along the two directions to a place.
   * @param {number} x along the slant, in standard deviations of the noise
   * @param {number} y along the width
   */
  async moveTo(x, y) {
    this.walking = null;
    this.x = Math.max(-SPAN, Math.min(SPAN, x));
    this.y = Math.max(-SPAN, Math.min(SPAN, y));
    if (this.busy) return; // what draws now draws this place next
    this.busy = true;
    try {
      let drawn;
      do {
        drawn = `${this.x} ${this.y}`;
        await this.decode();
      } while (drawn !== `${this.x} ${this.y}`);
    } finally {
      this.busy = false;
    }
  }

  /**
   * The digit nearest to a place.
   * @param {number} x
   * @param {number} y
   */
  nearest(x, y) {
    const offs = this.places.map(([a, b]) => (a - x) ** 2 + (b - y) ** 2);
    return offs.indexOf(Math.min(...offs));
  }

  /**
   * Walk from one digit to another: the latent and the label move together.
   * @param {number} from
   * @param {number} to
   */
  async walk(from, to) {
    const walk = (this.walking = Symbol());
    const [start, end] = [from, to].map((digit) => this.gridOf(this.space.means[digit], this.space.labels[digit]));
    const [first, last] = [from, to].map((digit) => this.model.names[this.space.labels[digit]]);
    for (let step = reducedMotion.matches ? WALK : 0; step <= WALK; step++) {
      const share = step / WALK;
      const pictures = await this.decoder.draw(interpolate(start, end, share, 1));
      if (walk !== this.walking) return;
      [this.x, this.y] = [0, 1].map((axis) => this.places[from][axis] + share * (this.places[to][axis] - this.places[from][axis]));
      paintRow("#latent-digit", pictures, 8);
      this.say(`from ${first} to ${last}`, `Between ${first} and ${last}, drawn by the decoder`);
      await new Promise((next) => setTimeout(next, WALK_MS));
    }
    if (walk === this.walking) this.walking = null;
  }

  /**
   * @param {Float32Array} noise
   * @param {number} label
   */
  gridOf(noise, label) {
    return { rows: 1, count: 1, cells: [{ noise, label: oneHot(label, this.model.classes), presence: 1 }] };
  }

  async decode() {
    const { x, y, space } = this;
    const nearest = this.nearest(x, y);
    const [a, b] = this.places[nearest];
    const { slant, width } = space.directions;
    const noise = space.means[nearest].map((value, z) => value + (x - a) * slant[z] + (y - b) * width[z]);
    const label = space.labels[nearest];
    paintRow("#latent-digit", await this.decoder.draw(this.gridOf(noise, label)), 8);
    const name = this.model.names[label];
    this.say(`slant ${x.toFixed(1)}, width ${y.toFixed(1)}: nearest digit: ${name}`, `${name}, drawn by the decoder`);
    part("#latent-space").dataset.state = "ready";
  }

  /**
   * Show the place, and say what lies there.
   * @param {string} text
   * @param {string} drawn what the picture beside the map is
   */
  say(text, drawn) {
    canvas("#latent-digit").setAttribute("aria-label", drawn);
    this.element.setAttribute("aria-valuetext", text);
    this.element.setAttribute("aria-valuenow", this.x.toFixed(2));
    part("#latent-text").textContent = text;
    this.paint();
  }

  paint() {
    const { element } = this;
    const side = Math.round(element.clientWidth * devicePixelRatio);
    if (element.width !== side) element.width = element.height = side;
    const context = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d"));
    context.clearRect(0, 0, side, side);
    /** @param {number} x @param {number} y @param {number} radius @param {string} colour */
    const spot = (x, y, radius, colour) => {
      context.fillStyle = colour;
      context.beginPath();
      context.arc(((x / SPAN + 1) / 2) * side, ((1 - y / SPAN) / 2) * side, radius * devicePixelRatio, 0, 2 * Math.PI);
      context.fill();
    };
    context.globalAlpha = 0.75;
    this.places.forEach(([x, y], n) => spot(x, y, DOT, this.colour(this.space.labels[n])));
    context.globalAlpha = 1;
    spot(this.x, this.y, 3 * DOT, cssColour("--text"));
    spot(this.x, this.y, 2 * DOT, cssColour("--card"));
  }
}

/**
 * @param {Float32Array} vector
 * @param {number[]} other
 */
function dot(vector, other) {
  return vector.reduce((sum, value, z) => sum + value * other[z], 0);
}
