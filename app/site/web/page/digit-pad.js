// The pad for writing one digit.

const SIDE = 280;
const STROKE_WIDTH = 20;

/** A canvas to write on. Its element fires "stroke" after each stroke. */
export class DigitPad {
  /** @param {HTMLCanvasElement} element */
  constructor(element) {
    this.element = element;
    this.context = /** @type {CanvasRenderingContext2D} */ (element.getContext("2d"));
    this.writing = false;
    this.empty = true;
    /** @type {{x: number, y: number} | null} */
    this.last = null;
    element.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      element.setPointerCapture(event.pointerId);
      this.writing = true;
      this.empty = false;
      this.last = this.position(event);
      this.drawTo(this.last);
    });
    element.addEventListener("pointermove", (event) => {
      if (!this.writing) return;
      for (const each of event.getCoalescedEvents?.() ?? [event]) this.drawTo(this.position(each));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      element.addEventListener(end, () => {
        if (this.writing) element.dispatchEvent(new Event("stroke"));
        this.writing = false;
      });
    }
  }

  /** @param {PointerEvent} event */
  position(event) {
    const box = this.element.getBoundingClientRect();
    const factor = SIDE / box.width;
    return { x: (event.clientX - box.left) * factor, y: (event.clientY - box.top) * factor };
  }

  /** @param {{x: number, y: number}} position */
  drawTo(position) {
    const from = this.last ?? position;
    this.context.strokeStyle = getComputedStyle(this.element).color;
    this.context.lineWidth = STROKE_WIDTH;
    this.context.lineCap = "round";
    this.context.beginPath();
    this.context.moveTo(from.x, from.y);
    this.context.lineTo(position.x, position.y);
    this.context.stroke();
    this.last = position;
  }

  clear() {
    this.context.clearRect(0, 0, SIDE, SIDE);
    this.empty = true;
  }

  /**
   * The written digit, black on white.
   * @returns {Promise<Blob | null>}
   */
  async picture() {
    if (this.empty) return null;
    const copy = document.createElement("canvas");
    copy.width = copy.height = SIDE;
    const context = /** @type {CanvasRenderingContext2D} */ (copy.getContext("2d"));
    context.drawImage(this.element, 0, 0);
    context.globalCompositeOperation = "source-in";
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIDE, SIDE);
    context.globalCompositeOperation = "destination-over";
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIDE, SIDE);
    return new Promise((resolve) => copy.toBlob(resolve, "image/png"));
  }
}
