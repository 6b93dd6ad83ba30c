// A client of the public API over HTTP.

import { PictureError } from "./picture-error.js";
import { apiQueryString, writtenIn } from "./query.js";
import { readStored, writeStored } from "./storage.js";

/** @typedef {import("./query.js").Query} Query */
/** @typedef {import("./sheet.js").Sheet} Sheet */
/**
 * @typedef {object} Sight a digit that was seen, see app/drawing/seen.py
 * @property {string} label
 * @property {number | null} confidence in [0, 1]; null: not measured
 * @property {{label: string, confidence: number | null}[]} runners_up
 * @property {Uint8Array} digit (784,) in the form of MNIST, ink 255
 * @property {Uint8Array} reconstruction (784,)
 * @property {string | null} unused why it has no part in the handwriting
 */
/** @typedef {{style: string, label: string, confidence: number | null, warning: string | null, seen: Sight[]}} Found */

/** @type {Partial<Query>} the grey levels, as the model draws them */
const AS_DRAWN = { scale: 1, ink: "ffffff", paper: "000000", render: "pixels", pen: 1 };
const KEY = "cvae-digits-api-key";

export class ServiceError extends Error {
  /**
   * @param {string} message
   * @param {number} status 0: there was no response
   */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

export class Service {
  /** @param {string} address of the service's root, ending with a slash */
  constructor(address) {
    this.address = address;
  }

  /**
   * The address of the picture of a query.
   * @param {Query} query
   * @param {Record<string, string>} [extra] more parameters
   */
  link(query, extra) {
    return new URL(`generate?${apiQueryString(query, extra)}`, this.address).href;
  }

  /**
   * The picture of a query as a file.
   * @param {Query} query
   * @param {string} format
   */
  async picture(query, format) {
    return (await this.request(this.link(query, { format }))).blob();
  }

  /**
   * The animation from the number of a query to another, in the same hand.
   * @param {Query} query
   * @param {string} to
   * @param {{frames: number, fps: number, format: string}} file
   */
  async morph(query, to, { frames, fps, format }) {
    const { seed, variation, temperature, style, gap, scale, ink, paper, render, pen } = query;
    const parameters = new URLSearchParams({ from: writtenIn(query), to, seed: String(seed), walk: "0" });
    const own = { variation, temperature, style, gap, scale, ink, paper, render, frames, fps, format };
    const all = render === "ink" ? { ...own, pen } : own;
    for (const [name, value] of Object.entries(all)) if (value !== null) parameters.set(name, String(value));
    return (await this.request(new URL(`morph?${parameters}`, this.address).href)).blob();
  }

  /**
   * The grey levels of a query, at scale 1.
   * @param {Query} query
   * @param {AbortSignal} signal
   * @returns {Promise<Sheet>}
   */
  async sheet(query, signal) {
    const grey = { ...query, ...AS_DRAWN };
    const response = await this.request(this.link(grey, { format: "npy" }), { signal });
    return readNpy(await response.arrayBuffer());
  }

  /**
   * What is seen in a picture of handwriting.
   * @param {Blob} picture
   * @param {string} label the digit in the picture; empty: it is read
   * @param {string} shows digit or line
   * @returns {Promise<Found>}
   */
  async restyle(picture, label, shows) {
    const parameters = new URLSearchParams({ digits: "0", seed: "0", shows, format: "json" });
    if (label) parameters.set("label", label);
    const headers = { "Content-Type": picture.type };
    const options = { method: "POST", body: picture, headers };
    const response = await this.request(new URL(`restyle?${parameters}`, this.address).href, options);
    const found = await response.json();
    for (const sight of found.seen) {
      for (const name of ["digit", "reconstruction"]) sight[name] = await levelsOf(sight[name]);
    }
    return found;
  }

  /** @param {string} key stored until the tab is closed */
  set key(key) {
    writeStored("sessionStorage", KEY, key);
  }

  /**
   * The response to a request.
   * @param {string} address
   * @param {RequestInit} [options]
   * @throws {ServiceError | PictureError} there is no response, or it has an error status
   */
  async request(address, options = {}) {
    const headers = new Headers(options.headers);
    const key = readStored("sessionStorage", KEY);
    if (key) headers.set("X-API-Key", key);
    let response;
    try {
      response = await fetch(address, { ...options, headers });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new ServiceError("The service cannot be reached. Check your connection.", 0);
    }
    if (response.ok) return response;
    if (response.status !== 401) throw await errorOf(response);
    throw new ServiceError(
      key ? "The service does not accept this API key." : "The service requires an API key.",
      response.status,
    );
  }
}

/**
 * What an error response says (RFC 9457).
 * @param {Response} response
 */
async function errorOf(response) {
  try {
    const { detail, errors = [] } = await response.json();
    const picture = errors.find((/** @type {{code?: string}} */ error) => error.code);
    if (picture) return new PictureError(picture.code, picture.message);
    const listed = errors.map((/** @type {{field: string, message: string}} */ error) => `${error.field} ${error.message}`);
    return new ServiceError(listed.length ? `The service refused the request: ${listed.join("; ")}.` : String(detail), response.status);
  } catch {
    return new ServiceError(`The service responded with status ${response.status}.`, response.status);
  }
}

/**
 * The content of a numpy file of (H, W) uint8.
 * @param {ArrayBuffer} file
 * @returns {Sheet}
 */
function readNpy(file) {
  const length = new DataView(file).getUint16(8, true);
  const header = new TextDecoder("latin1").decode(new Uint8Array(file, 10, length));
  const [height, width] = (/\((\d+), (\d+)\)/.exec(header) ?? []).slice(1).map(Number);
  return { width, height, levels: new Uint8Array(file, 10 + length) };
}

/**
 * The levels of a grey picture.
 * @param {string} png base64
 */
async function levelsOf(png) {
  const image = new Image();
  image.src = `data:image/png;base64,${png}`;
  await image.decode();
  const { width, height } = image;
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.drawImage(image, 0, 0);
  return Uint8Array.from(context.getImageData(0, 0, width, height).data.filter((_, at) => at % 4 === 0));
}
