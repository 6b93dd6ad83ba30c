// Draws in the browser: sends tasks to the decoder in worker.js.

/** @typedef {import("./digit-grid.js").DigitGrid} DigitGrid */

export class DecoderClient {
  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
    /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void}>} */
    this.pending = new Map();
    this.nextId = 0;
    this.msPerDigit = 0; // of the last drawing
    /** @type {Promise<{across: Float32Array, down: Float32Array}> | undefined} */
    this.foundDirections = undefined;
    worker.onmessage = ({ data: { id, result, error } }) => {
      const task = this.pending.get(id);
      this.pending.delete(id);
      if (error) task?.reject(new Error(error));
      else task?.resolve(result);
    };
    worker.onerror = (event) => {
      for (const { reject } of this.pending.values()) reject(new Error(event.message));
      this.pending.clear();
    };
  }

  /**
   * @param {string} address of decoder.int8.safetensors
   * @returns {Promise<DecoderClient>}
   */
  static async open(address) {
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    const decoder = new DecoderClient(worker);
    const response = await fetch(address);
    if (!response.ok) throw new Error(`The weights could not be loaded (status ${response.status}).`);
    const file = await response.arrayBuffer();
    await decoder.run({ task: "open", file }, [file]);
    return decoder;
  }

  /**
   * The grey levels of all digits of a grid, picture after picture.
   * @param {DigitGrid} grid
   * @returns {Promise<Uint8Array>} (rows * count * pixels,)
   */
  async draw({ cells }) {
    const noise = concatenate(cells.map((cell) => cell.noise));
    const labels = concatenate(cells.map((cell) => cell.label));
    const task = { task: "draw", noise, labels, count: cells.length };
    const { levels, milliseconds } = await this.run(task, [noise.buffer, labels.buffer]);
    this.msPerDigit = milliseconds / cells.length;
    return levels;
  }

  /**
   * The picture of one digit and the activations of the decoder's hidden layers.
   * @param {Float32Array} noise
   * @param {Float32Array} label
   * @returns {Promise<{levels: Uint8Array, activations: Float32Array[]}>}
   */
  trace(noise, label) {
    return this.run({ task: "trace", noise, label });
  }

  /**
   * The two directions of the noise that change the digits most, computed once.
   * @param {number} size Z
   * @returns {Promise<{across: Float32Array, down: Float32Array}>}
   */
  directions(size) {
    this.foundDirections ??= this.run({ task: "directions", size });
    return this.foundDirections;
  }

  /**
   * @param {object} task
   * @param {Transferable[]} [transfer]
   * @returns {Promise<any>}
   */
  run(task, transfer = []) {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      this.worker.postMessage({ ...task, id }, transfer);
    });
  }
}

/** @param {Float32Array[]} parts of equal length */
function concatenate(parts) {
  const all = new Float32Array(parts.length * (parts[0]?.length ?? 0));
  parts.forEach((part, index) => all.set(part, index * part.length));
  return all;
}
