// Turns and crops a photo by hand: with mouse or finger on the photo, or with the keyboard.

import { button, canvas, find, input, part } from "./element.js";
import { cssColour } from "./network-view.js";
import { Photo, WHOLE } from "./photo.js";

/** @typedef {import("./photo.js").Box} Box */
/** @typedef {{x: number, y: number}} Point as shares of the photo's width and height */

const PREVIEW = 640; // pixels of the longer side
const REACH = 28; // CSS pixels around a corner of the frame in which a finger takes hold of it
const LEAST = 0.05; // share of the photo's side
const STEP = 0.02; // the same, of an arrow key
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** Fires "change" with each new frame or angle. */
export class PhotoEditor extends EventTarget {
  constructor() {
    super();
    this.element = canvas("#photo-picture");
    /** @type {Photo | null} */
    this.photo = null;
    /** @type {HTMLCanvasElement | null} the photo as it is turned */
    this.turned = null;
    /** @type {Box} */
    this.box = WHOLE;
    this.listenForPointers();
    this.element.addEventListener("keydown", (event) => this.press(event));
    input("#photo-angle").addEventListener("input", () => this.turn(this.angle, this.box));
    button("#turn-photo").addEventListener("click", () => {
      const { left, top, width, height } = this.box;
      const angle = this.angle + 90;
      this.turn(angle > 180 ? angle - 360 : angle, { left: 1 - top - height, top: left, width: height, height: width });
    });
    button("#whole-photo").addEventListener("click", () => this.crop(WHOLE));
    find("#photo-shows", HTMLSelectElement).addEventListener("change", () => this.changed());
  }

  get angle() {
    return Number(input("#photo-angle").value);
  }

  /** What the photo shows: digit or line. */
  get shows() {
    return find("#photo-shows", HTMLSelectElement).value;
  }

  /** @param {File} file @throws {Error} the browser cannot read it */
  async open(file) {
    this.photo = await Photo.open(file);
    this.show(true);
    this.turn(0, WHOLE);
  }

  close() {
    this.photo = this.turned = null;
    this.show(false);
  }

  /** @param {boolean} shown in place of the pad */
  show(shown) {
    this.element.hidden = part("#photo-editor").hidden = !shown;
    canvas("#digit-pad").hidden = shown;
  }

  /** The file to send; null if there is no photo. */
  async picture() {
    return this.photo && this.photo.file(this.angle, this.box);
  }

  /**
   * @param {number} angle in degrees
   * @param {Box} box
   */
  turn(angle, box) {
    if (!this.photo) return;
    input("#photo-angle").value = String(angle);
    part("#photo-angle-value").textContent = `${angle}°`;
    this.turned = this.photo.render(angle, WHOLE, PREVIEW);
    this.crop(box);
  }

  /** @param {Box} box */
  crop(box) {
    this.box = box;
    this.paint();
    this.changed();
  }

  changed() {
    if (this.photo) this.dispatchEvent(new Event("change"));
  }

  paint() {
    const { turned, element, box } = this;
    if (!turned) return;
    [element.width, element.height] = [turned.width, turned.height];
    const context = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d"));
    const { width, height } = turned;
    const [left, top] = [box.left * width, box.top * height];
    const [across, down] = [box.width * width, box.height * height];
    context.drawImage(turned, 0, 0);
    context.fillStyle = "rgb(0 0 0 / 55%)";
    context.beginPath();
    context.rect(0, 0, width, height);
    context.rect(left, top, across, down);
    context.fill("evenodd");
    context.strokeStyle = context.fillStyle = cssColour("--accent");
    const side = Math.max(width, height);
    context.lineWidth = side / 120;
    context.strokeRect(left, top, across, down);
    const size = side / 24;
    for (const [x, y] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      context.fillRect(left + x * (across - size), top + y * (down - size), size, size);
    }
    const share = (/** @type {number} */ side) => `${Math.round(100 * side)}\u00a0%`;
    element.setAttribute("aria-label", `Your photo, cropped to ${share(box.width)} of its width and ${share(box.height)} of its height`);
  }

  /** @param {KeyboardEvent} event arrow keys move the frame; with Shift they make it larger or smaller */
  press(event) {
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault();
    const [x, y] = arrow.map((way) => way * STEP);
    const { left, top, width, height } = this.box;
    if (event.shiftKey) this.crop(boxBetween({ x: left, y: top }, { x: left + Math.max(LEAST, width + x), y: top + Math.max(LEAST, height + y) }));
    else this.crop({ ...this.box, left: clamp(left + x, 1 - width), top: clamp(top + y, 1 - height) });
  }

  listenForPointers() {
    /** @type {((to: Point) => Box) | null} */
    let follow = null;
    let before = this.box;
    this.element.addEventListener("pointerdown", (event) => {
      this.element.setPointerCapture(event.pointerId);
      before = this.box;
      follow = this.hold(this.position(event));
    });
    this.element.addEventListener("pointermove", (event) => {
      if (!follow) return;
      this.box = follow(this.position(event));
      this.paint();
    });
    this.element.addEventListener("pointerup", () => {
      if (!follow) return;
      follow = null;
      const small = Math.min(this.box.width, this.box.height) < LEAST; // a tap
      this.crop(small ? before : this.box);
    });
    this.element.addEventListener("pointercancel", () => {
      follow = null;
      this.crop(before);
    });
  }

  /**
   * What a drag from a point does: moves a corner, moves the frame, or draws a new one.
   * @param {Point} from
   * @returns {(to: Point) => Box}
   */
  hold(from) {
    const { left, top, width, height } = this.box;
    const { clientWidth, clientHeight } = this.element;
    const [right, bottom] = [left + width, top + height];
    for (const [x, y] of [[left, top], [right, top], [left, bottom], [right, bottom]]) {
      const apart = Math.hypot((from.x - x) * clientWidth, (from.y - y) * clientHeight);
      const opposite = { x: left + right - x, y: top + bottom - y };
      if (apart < REACH) return (to) => boxBetween(opposite, to);
    }
    const inside = from.x > left && from.x < right && from.y > top && from.y < bottom;
    if (inside && width * height < 1) {
      return (to) => ({ left: clamp(left + to.x - from.x, 1 - width), top: clamp(top + to.y - from.y, 1 - height), width, height });
    }
    return (to) => boxBetween(from, to);
  }

  /** @param {PointerEvent} event @returns {Point} */
  position(event) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    return { x: clamp((event.clientX - left) / width), y: clamp((event.clientY - top) / height) };
  }
}

/**
 * @param {number} value
 * @param {number} [most]
 */
function clamp(value, most = 1) {
  return Math.max(0, Math.min(most, value));
}

/**
 * @param {Point} one corner
 * @param {Point} other the opposite one
 * @returns {Box}
 */
function boxBetween(one, other) {
  const [left, right] = [one.x, clamp(other.x)].sort((a, b) => a - b);
  const [top, bottom] = [one.y, clamp(other.y)].sort((a, b) => a - b);
  return { left, top, width: right - left, height: bottom - top };
}
