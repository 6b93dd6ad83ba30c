// Tasks between the page and a worker: each is answered by its result, or by what makes up an error.

import { PictureError } from "./picture-error.js";

export class WorkerClient {
  /** @param {Worker} worker */
  constructor(worker) {
    this.worker = worker;
    /** @type {Map<number, {resolve: (result: any) => void, reject: (error: Error) => void}>} */
    this.pending = new Map();
    this.nextId = 0;
    worker.onmessage = ({ data: { id, result, error } }) => {
      const task = this.pending.get(id);
      this.pending.delete(id);
      if (error) task?.reject(error.fault ? new PictureError(error.fault, error.message) : new Error(error.message));
      else task?.resolve(result);
    };
    worker.onerror = (event) => {
      for (const { reject } of this.pending.values()) reject(new Error(event.message));
      this.pending.clear();
    };
  }

  /**
   * Send a worker the file that it needs first.
   * @param {string} address
   */
  async load(address) {
    const response = await fetch(address);
    if (!response.ok) throw new Error(`The weights could not be loaded (status ${response.status}).`);
    const file = await response.arrayBuffer();
    await this.run({ task: "open", file }, [file]);
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

/**
 * In a worker: answer each task with what a function returns.
 * @param {(task: any) => Record<string, any>} run
 */
export function answerTasks(run) {
  self.onmessage = ({ data }) => {
    try {
      const result = run(data);
      const buffers = Object.values(result).flatMap((value) => (value.buffer ? [value.buffer] : []));
      self.postMessage({ id: data.id, result }, { transfer: buffers });
    } catch (error) {
      const { message, fault } = /** @type {PictureError} */ (error);
      self.postMessage({ id: data.id, error: { message, fault } });
    }
  };
}
