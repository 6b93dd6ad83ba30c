// Starts a part of the page when it comes into view, so that it costs nothing before.

import { part } from "./element.js";

/**
 * @param {string} selector of the part
 * @param {() => Promise<void>} start called once
 */
export function whenVisible(selector, start) {
  const element = part(selector);
  const observer = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    observer.disconnect();
    start().catch((error) => {
      element.dataset.state = "failed";
      element.append(Object.assign(document.createElement("p"), { className: "error", textContent: String(error.message) }));
    });
  });
  observer.observe(element);
}
