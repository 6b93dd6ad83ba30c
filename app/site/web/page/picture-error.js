// A picture that does not show what it is to show.

/** @typedef {"no_ink" | "no_digit" | "several_digits"} Fault as in app/request/error.py */

export class PictureError extends Error {
  /**
   * @param {Fault} fault
   * @param {string} seen what the picture shows, as the rest of a sentence
   */
  constructor(fault, seen) {
    super(seen);
    this.fault = fault;
  }
}
