// The decoder at work: its real values, from the noise and the label to the pixels.

import { button, canvas, part } from "./element.js";
import { rgb } from "./ink.js";
import { latent } from "./noise.js";
import { randomSeed } from "./order.js";
import { oneHot, sceneOf } from "./scene.js";
import { CELL } from "./sheet.js";

const REACH = 3; // the noise that a bar shows at most, in standard deviations
const WAVE_MS = 900; // from the noise to the pixels
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Flow {
  /**
   * @param {import("./desk.js").Desk} desk
   * @param {import("./artist.js").Artist} artist
   * @param {import("./scene.js").Facts} facts
   */
  constructor(desk, artist, facts) {
    this.desk = desk;
    this.artist = artist;
    this.facts = facts;
    /** @type {Float32Array} */
    this.noise = new Float32Array(facts.latent);
    this.digit = 2;
    this.turn = 0;
    this.seen = false;
    this.follow();
    this.buildLabels();
    desk.addEventListener("change", () => this.follow() && this.run());
    button("#flow-roll").addEventListener("click", () => {
      this.noise = latent(randomSeed(), 0, 0, facts.latent).slice();
      this.run();
    });
    this.listen();
    const seen = new IntersectionObserver((entries) => {
      this.seen = entries.some((entry) => entry.isIntersecting);
      if (this.seen) this.run();
    });
    seen.observe(part("#flow"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.run());
  }

  /** Take over the first digit of the number; whether there is one. */
  follow() {
    const { digits } = this.desk.order;
    if (!digits) return false;
    try {
      this.noise = sceneOf({ ...this.desk.order, rows: 1, digits: digits[0] }, this.facts).cells[0].noise;
      this.digit = Number(digits[0]);
      return true;
    } catch {
      return false; // a style of another model: said elsewhere
    }
  }

  buildLabels() {
    for (let digit = 0; digit < this.facts.classes; digit++) {
      const label = document.createElement("label");
      const choice = document.createElement("input");
      Object.assign(choice, { type: "radio", name: "flow-label", value: String(digit) });
      choice.addEventListener("change", () => {
        this.digit = digit;
        this.run();
      });
      label.append(choice, String(digit));
      part("#flow-label").append(label);
    }
  }

  /** A bar can be dragged: one number of the noise changes, and the digit with it. */
  listen() {
    const bars = canvas("#flow-noise");
    /** @param {PointerEvent} event */
    const drag = (event) => {
      const box = bars.getBoundingClientRect();
      const z = Math.floor(((event.clientX - box.left) / box.width) * this.noise.length);
      const value = REACH * (1 - (2 * (event.clientY - box.top)) / box.height);
      if (z < 0 || z >= this.noise.length) return;
      this.noise = this.noise.slice();
      this.noise[z] = Math.max(-REACH, Math.min(REACH, value));
      this.run(true);
    };
    bars.addEventListener("pointerdown", (event) => {
      bars.setPointerCapture(event.pointerId);
      drag(event);
    });
    bars.addEventListener("pointermove", (event) => {
      if (event.buttons) drag(event);
    });
  }

  /**
   * Send the noise through the decoder, and show what comes by.
   * @param {boolean} [atOnce] without the wave
   */
  async run(atOnce = false) {
    const turn = ++this.turn;
    if (!this.seen) return;
    const chosen = document.querySelector(`#flow-label input[value="${this.digit}"]`);
    if (chosen instanceof HTMLInputElement) chosen.checked = true;
    const { levels, activations } = await this.artist.trace(this.noise, oneHot(this.digit, this.facts.classes));
    if (turn !== this.turn) return;
    this.describe(activations, levels);
    const start = performance.now();
    for (;;) {
      const way = atOnce || calm.matches ? 1 : Math.min(1, (performance.now() - start) / WAVE_MS);
      this.paint(activations, levels, way);
      if (way === 1) return;
      await new Promise(requestAnimationFrame);
      if (turn !== this.turn) return;
    }
  }

  /**
   * @param {Float32Array[]} activations
   * @param {Uint8Array} levels
   * @param {number} way how far the wave has come, in [0, 1]
   */
  paint(activations, levels, way) {
    const colours = {
      ink: colour("--ink"),
      warm: colour("--warm"),
      rule: colour("--rule"),
    };
    const stages = activations.length + 2;
    /** @param {number} stage */
    const arrived = (stage) => Math.max(0, Math.min(1, way * stages - stage));
    paintBars(canvas("#flow-noise"), this.noise, arrived(0), colours);
    activations.forEach((values, index) => paintUnits(this.layer(index), values, arrived(index + 1), colours));
    paintPicture(canvas("#flow-pixels"), levels, arrived(stages - 1));
  }

  /** @param {number} index */
  layer(index) {
    const layers = part("#flow-layers");
    while (layers.querySelectorAll("canvas").length <= index) {
      const made = document.createElement("canvas");
      made.setAttribute("role", "img");
      made.setAttribute("aria-label", `Layer ${layers.querySelectorAll("canvas").length + 1} of the decoder`);
      layers.append(made);
    }
    return layers.querySelectorAll("canvas")[index];
  }

  /**
   * @param {Float32Array[]} activations
   * @param {Uint8Array} levels
   */
  describe(activations, levels) {
    const sizes = activations.map((values) => values.length).join(", then ");
    const awake = activations.map((values) => values.filter((value) => value > 0).length);
    const [all, total] = [awake.reduce((a, b) => a + b, 0), activations.reduce((sum, values) => sum + values.length, 0)];
    part("#flow-said").textContent =
      `${this.noise.length} numbers of noise and ${this.facts.classes} of the label go through ${sizes} units ` +
      `(${Math.round((100 * all) / total)} % of them are awake) to ${levels.length} pixels. ` +
      "Drag a bar of the noise: one number alone changes the hand.";
    canvas("#flow-pixels").setAttribute("aria-label", `A handwritten ${this.digit}`);
  }
}

/** @param {string} name of a colour in page.css */
function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values
 * @param {number} arrived
 * @param {{ink: string, warm: string, rule: string}} colours
 */
function paintBars(canvas, values, arrived, colours) {
  canvas.width = canvas.clientWidth * devicePixelRatio;
  canvas.height = canvas.clientHeight * devicePixelRatio;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const [step, middle] = [canvas.width / values.length, canvas.height / 2];
  pen.fillStyle = colours.rule;
  pen.fillRect(0, middle - 0.5, canvas.width, 1);
  values.forEach((value, z) => {
    pen.fillStyle = value > 0 ? colours.ink : colours.warm;
    const height = (Math.max(-REACH, Math.min(REACH, value)) / REACH) * middle * arrived;
    pen.fillRect(z * step + step * 0.12, middle, Math.max(1, step * 0.76), -height);
  });
}

/**
 * Each unit a square, the brighter the more it is awake; they light up from left to right.
 * @param {HTMLCanvasElement} canvas
 * @param {Float32Array} values
 * @param {number} arrived
 * @param {{ink: string, rule: string}} colours
 */
function paintUnits(canvas, values, arrived, { ink, rule }) {
  const across = Math.ceil(Math.sqrt(values.length * 4));
  const down = Math.ceil(values.length / across);
  canvas.width = across * 4;
  canvas.height = down * 4;
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const most = Math.max(...values) || 1;
  values.forEach((value, j) => {
    const [x, y] = [j % across, Math.floor(j / across)];
    pen.globalAlpha = 0.35;
    pen.fillStyle = rule;
    pen.fillRect(4 * x, 4 * y, 3, 3);
    if (x > arrived * across) return;
    pen.globalAlpha = Math.sqrt(value / most);
    pen.fillStyle = ink;
    pen.fillRect(4 * x, 4 * y, 3, 3);
  });
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {Uint8Array} levels
 * @param {number} arrived
 */
function paintPicture(canvas, levels, arrived) {
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const image = pen.createImageData(CELL, CELL);
  const ink = rgb("ffffff");
  levels.forEach((level, at) => {
    const shown = at / levels.length <= arrived ? level : 0;
    ink.forEach((value, i) => (image.data[4 * at + i] = (value * shown) / 255));
    image.data[4 * at + 3] = 255;
  });
  pen.putImageData(image, 0, 0);
}
