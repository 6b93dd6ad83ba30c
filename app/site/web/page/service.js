// The public API over HTTP, and its errors in words.

import { apiQuery } from "./order.js";

/** @typedef {import("./order.js").Order} Order */
/** @typedef {import("./sheet.js").Sheet} Sheet */

const KEY = "cvae-digits-api-key";

export class ServiceError extends Error {
  /**
   * @param {string} words
   * @param {number} status 0: nobody answered
   */
  constructor(words, status) {
    super(words);
    this.status = status;
  }
}

export class Service {
  /** @param {string} address of the service's root, ending with a slash */
  constructor(address) {
    this.address = address;
  }

  /**
   * The address of an order's picture.
   * @param {Order} order
   * @param {Record<string, string>} [more]
   */
  link(order, more) {
    return new URL(`generate?${apiQuery(order, more)}`, this.address).href;
  }

  /**
   * The file of an order in a format.
   * @param {Order} order
   * @param {string} format
   * @param {AbortSignal} [signal]
   */
  async picture(order, format, signal) {
    return (await this.ask(this.link(order, { format }), { signal })).blob();
  }

  /**
   * The grey levels of an order's sheet, not enlarged.
   * @param {Order} order
   * @param {AbortSignal} [signal]
   * @returns {Promise<Sheet>}
   */
  async sheet(order, signal) {
    const plain = { ...order, scale: 1, ink: "ffffff", paper: "000000" };
    const answer = await this.ask(this.link(plain, { format: "npy" }), { signal });
    return readNpy(await answer.arrayBuffer());
  }

  /**
   * The style of a handwritten digit.
   * @param {Blob} picture
   * @param {Order} order
   * @param {string} label the digit that it shows; empty: the model reads it
   * @returns {Promise<{style: string, label: string}>}
   */
  async restyle(picture, order, label) {
    const query = new URLSearchParams({ digits: order.digits, seed: String(order.seed) });
    if (label) query.set("label", label);
    const headers = { "Content-Type": picture.type };
    const body = { method: "POST", body: picture, headers };
    const answer = await this.ask(new URL(`restyle?${query}`, this.address).href, body);
    return {
      style: answer.headers.get("X-Style") ?? "",
      label: answer.headers.get("X-Label") ?? label,
    };
  }

  /** @param {string} key for a service that asks for one; kept until the tab is closed */
  set key(key) {
    sessionStorage.setItem(KEY, key);
  }

  /**
   * @param {string} address
   * @param {RequestInit} options
   */
  async ask(address, options) {
    const headers = new Headers(options.headers);
    const key = sessionStorage.getItem(KEY);
    if (key) headers.set("X-API-Key", key);
    let answer;
    try {
      answer = await fetch(address, { ...options, headers });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") throw error;
      throw new ServiceError("The service cannot be reached; is there a connection?", 0);
    }
    if (answer.ok) return answer;
    if (answer.status !== 401) throw new ServiceError(await words(answer), answer.status);
    throw new ServiceError(
      key ? "The service does not know this API key." : "The service asks for an API key.",
      answer.status,
    );
  }
}

/**
 * What an error of the API says (RFC 9457).
 * @param {Response} answer
 */
async function words(answer) {
  try {
    const problem = await answer.json();
    const faults = (problem.errors ?? []).map(
      (/** @type {{field: string, message: string}} */ fault) => `${fault.field} ${fault.message}`,
    );
    return faults.length ? `The service says: ${faults.join("; ")}.` : String(problem.detail);
  } catch {
    return `The service answered with status ${answer.status}.`;
  }
}

/**
 * A numpy file of (H, W) uint8.
 * @param {ArrayBuffer} file
 * @returns {Sheet}
 */
function readNpy(file) {
  const length = new DataView(file).getUint16(8, true);
  const header = new TextDecoder("latin1").decode(new Uint8Array(file, 10, length));
  const [height, width] = (/\((\d+), (\d+)\)/.exec(header) ?? []).slice(1).map(Number);
  return { width, height, levels: new Uint8Array(file, 10 + length) };
}
