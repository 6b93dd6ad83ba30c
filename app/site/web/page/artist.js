// Draws on this device: the page's side of worker.js.

/** @typedef {import("./scene.js").Scene} Scene */

export class Artist {
  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
    /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void}>} */
    this.waiting = new Map();
    this.next = 0;
    this.spent = 0; // ms for each digit of the last scene
    /** @type {Promise<{across: Float32Array, down: Float32Array}> | undefined} */
    this.found = undefined;
    worker.onmessage = ({ data: { id, result, error } }) => {
      const waiting = this.waiting.get(id);
      this.waiting.delete(id);
      if (error) waiting?.reject(new Error(error));
      else waiting?.resolve(result);
    };
    worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message));
      this.waiting.clear();
    };
  }

  /**
   * @param {string} address of decoder.int8.safetensors
   * @returns {Promise<Artist>}
   */
  static async open(address) {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    const artist = new Artist(worker);
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`The weights did not come (${answer.status}).`);
    const file = await answer.arrayBuffer();
    await artist.ask({ task: "open", file }, [file]);
    return artist;
  }

  /**
   * The grey levels of a scene, one picture after the other.
   * @param {Scene} scene
   * @returns {Promise<Uint8Array>} (rows * count * pixels,)
   */
  async draw({ cells }) {
    const noise = joined(cells.map((cell) => cell.noise));
    const labels = joined(cells.map((cell) => cell.label));
    const order = { task: "draw", noise, labels, count: cells.length };
    const { levels, spent } = await this.ask(order, [noise.buffer, labels.buffer]);
    this.spent = spent / cells.length;
    return levels;
  }

  /**
   * What happens inside the decoder for one digit.
   * @param {Float32Array} noise
   * @param {Float32Array} label
   * @returns {Promise<{levels: Uint8Array, activations: Float32Array[]}>}
   */
  trace(noise, label) {
    return this.ask({ task: "trace", noise, label });
  }

  /**
   * The two directions of the noise that change the digits most.
   * @param {number} size Z
   * @returns {Promise<{across: Float32Array, down: Float32Array}>}
   */
  directions(size) {
    this.found ??= this.ask({ task: "directions", size });
    return this.found;
  }

  /**
   * @param {object} order
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  ask(order, transfer = []) {
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ ...order, id }, transfer);
    });
  }
}

/** @param {Float32Array[]} parts of one length */
function joined(parts) {
  const whole = new Float32Array(parts.length * (parts[0]?.length ?? 0));
  parts.forEach((part, index) => whole.set(part, index * part.length));
  return whole;
}
