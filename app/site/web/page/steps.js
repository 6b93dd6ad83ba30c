// The visitor's steps as entries of the browser's history: Undo and Redo do what Back and Forward do.

/** @typedef {import("./query.js").Query} Query */

const PAUSE_MS = 1000; // changes of one kind that follow each other sooner are one step
const WRITE_MS = 200; // Safari refuses more than 100 changes of the address in 10 s
const MAX_STEPS = 40; // browsers keep about 50 entries

export class Steps {
  /**
   * @param {(query: Query) => string} addressOf a query
   * @param {(query: Query) => void} restore called when the visitor goes back or forward
   */
  constructor(addressOf, restore) {
    this.addressOf = addressOf;
    this.step = this.last = Number(history.state?.step ?? 0);
    this.kind = "";
    this.time = 0;
    this.timer = 0; // of a write that waits; 0: none
    /** @type {number | null} the step to which Undo or Redo is on its way */
    this.wanted = null;
    /** @type {Query | undefined} */
    this.query = undefined;
    addEventListener("popstate", ({ state }) => {
      clearTimeout(this.timer);
      this.timer = 0;
      this.kind = "";
      if (!state) {
        this.last = this.step; // a link within the page made this entry, and removed the later ones
        return this.write("replaceState");
      }
      const way = Math.sign((this.wanted ?? state.step) - state.step);
      if (way) return history.go(way); // an entry of the same step, made by such a link
      this.wanted = null;
      this.step = state.step;
      this.last = Math.max(this.last, this.step);
      this.query = state.query;
      restore(state.query);
    });
  }

  get undoable() {
    return this.step > Math.max(0, this.last - MAX_STEPS);
  }

  get redoable() {
    return this.step < this.last;
  }

  /** @param {1 | -1} way forward or back */
  go(way) {
    this.flush();
    this.wanted = this.step + way;
    history.go(way);
  }

  /**
   * Take the first query of this visit, without a step.
   * @param {Query} query
   */
  begin(query) {
    this.query = query;
    this.write("replaceState");
  }

  /**
   * Record a change.
   * @param {Query} query the new one
   * @param {string} kind of a change that may go on, such as the name of a slider; empty: one step
   */
  record(query, kind) {
    const now = performance.now();
    const goesOn = kind !== "" && kind === this.kind && now - this.time < PAUSE_MS;
    [this.kind, this.time, this.wanted] = [kind, now, null];
    if (!goesOn) this.flush();
    this.query = query;
    if (goesOn) {
      this.timer ||= setTimeout(() => this.flush(), WRITE_MS);
      return;
    }
    this.step += 1;
    this.last = this.step;
    this.write("pushState");
  }

  /** Write now what waits to be written. */
  flush() {
    if (!this.timer) return;
    clearTimeout(this.timer);
    this.timer = 0;
    this.write("replaceState");
  }

  /** @param {"pushState" | "replaceState"} method */
  write(method) {
    if (!this.query) return;
    try {
      history[method]({ step: this.step, query: this.query }, "", this.addressOf(this.query));
    } catch (error) {
      console.warn("The browser refused to change the address.", error); // too many changes
    }
  }
}
