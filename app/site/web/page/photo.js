// A photo from the visitor's device: opened upright, turned, cropped, and made small enough to send.

/** @typedef {{left: number, top: number, width: number, height: number}} Box as shares of the turned photo */

/** @type {Box} */
export const WHOLE = { left: 0, top: 0, width: 1, height: 1 };
const KEPT = 3200; // pixels of the longer side, so that a photo of 48 megapixels does not fill a phone
const SENT = 1600; // the same, of what is sent; the service looks at 512
const QUALITY = 0.9; // of a JPEG
const PROBE = 32; // pixels of each side of the copy whose colour and transparency are measured
const HEIC = "This browser cannot open HEIC photos. Save the photo as JPEG, or set the camera to JPEG (on an iPhone: Settings, Camera, Formats, Most Compatible).";

export class Photo {
  /** @param {ImageBitmap} image upright; closed here */
  constructor(image) {
    const share = Math.min(1, KEPT / Math.max(image.width, image.height));
    this.source = blank(image.width * share, image.height * share);
    draw(this.source).drawImage(image, 0, 0, this.source.width, this.source.height);
    image.close();
    const probe = draw(blank(PROBE, PROBE));
    probe.drawImage(this.source, 0, 0, PROBE, PROBE);
    const { data } = probe.getImageData(0, 0, PROBE, PROBE);
    const mean = (/** @type {number} */ channel) => data.reduce((sum, value, at) => sum + (at % 4 === channel ? value : 0), 0) / PROBE ** 2;
    this.clear = mean(3) < 255; // some of it is transparent
    this.paper = `rgb(${[0, 1, 2].map((channel) => Math.round(mean(channel)))})`;
  }

  /**
   * Open a file that the visitor chose.
   * @param {File} file
   * @throws {Error} the browser cannot read it
   */
  static async open(file) {
    let image;
    try {
      image = await createImageBitmap(file); // turned as its EXIF data says
    } catch {
      const head = await file.slice(4, 12).text();
      if (/^ftyp(hei|hev|mif|msf)/.test(head)) throw new Error(HEIC);
      throw new Error(`${file.name} is not a picture that this browser can open. Choose a photo as JPEG, PNG or WebP.`);
    }
    return new Photo(image);
  }

  /**
   * Part of the photo, turned clockwise.
   * @param {number} angle in degrees
   * @param {Box} box
   * @param {number} [longest] pixels of the longer side
   */
  render(angle, box, longest = SENT) {
    const { width, height } = this.source;
    const radians = (angle * Math.PI) / 180;
    const [cos, sin] = [Math.abs(Math.cos(radians)), Math.abs(Math.sin(radians))];
    const [across, down] = [width * cos + height * sin, width * sin + height * cos];
    const share = Math.min(1, longest / Math.max(box.width * across, box.height * down));
    const result = blank(box.width * across * share, box.height * down * share);
    const context = draw(result);
    context.fillStyle = this.clear ? "transparent" : this.paper; // in the corners beside a turned photo
    context.fillRect(0, 0, result.width, result.height);
    context.scale(share, share);
    context.translate((0.5 - box.left) * across, (0.5 - box.top) * down);
    context.rotate(radians);
    context.drawImage(this.source, -width / 2, -height / 2);
    return result;
  }

  /**
   * The file to send: a JPEG, or a PNG of a picture with transparent parts.
   * @param {number} angle
   * @param {Box} box
   * @returns {Promise<Blob>}
   */
  file(angle, box) {
    const type = this.clear ? "image/png" : "image/jpeg";
    return new Promise((resolve, reject) => {
      const done = (/** @type {Blob | null} */ blob) => (blob ? resolve(blob) : reject(new Error("The photo could not be made smaller.")));
      this.render(angle, box).toBlob(done, type, QUALITY);
    });
  }
}

/**
 * @param {number} width
 * @param {number} height
 */
function blank(width, height) {
  const [across, down] = [width, height].map((side) => Math.max(1, Math.round(side)));
  return Object.assign(document.createElement("canvas"), { width: across, height: down });
}

/** @param {HTMLCanvasElement} canvas */
function draw(canvas) {
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingQuality = "high";
  return context;
}
