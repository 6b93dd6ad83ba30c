// Asks for the API key of the service, below the control that needs it.

import { button, input, part } from "./element.js";
import { ServiceError } from "./service.js";

export class KeyBox {
  /** @param {import("./service.js").Service | null} service null: not available */
  constructor(service) {
    this.retry = () => {};
    const use = () => {
      if (service) service.key = input("#api-key-text").value;
      part("#api-key").hidden = true;
      this.retry();
    };
    button("#api-key-use").addEventListener("click", use);
    input("#api-key-text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault(); // do not submit the form around the box
      use();
    });
  }

  /**
   * Ask for a key if an error says that one is needed, and return whether it does.
   * @param {unknown} error
   * @param {Element} control the box appears below it
   * @param {() => void} retry what to do with the key
   */
  ask(error, control, retry) {
    if (!(error instanceof ServiceError && error.status === 401)) return false;
    control.after(part("#api-key"));
    part("#api-key-message").textContent = error.message;
    part("#api-key").hidden = false;
    this.retry = retry;
    return true;
  }
}
