// Taking the picture along: files, and lines to copy.

import { part } from "./element.js";
import { palette, paintPixels } from "./ink.js";
import { ServiceError } from "./service.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./stage.js").Stage} Stage */
/** @typedef {import("./service.js").Service} Service */

/**
 * @param {Desk} desk
 * @param {Stage} stage
 * @param {Service | null} service null: there is none
 * @param {(error: unknown) => void} report
 */
export function bindFiles(desk, stage, service, report) {
  const said = part("#files-help");
  for (const choice of document.querySelectorAll("[data-format]")) {
    const format = /** @type {HTMLElement} */ (choice).dataset.format ?? "png";
    if (!service && format === "svg") {
      choice.toggleAttribute("disabled", true);
      said.textContent = "SVG needs the service, which is not here.";
    }
    choice.addEventListener("click", async () => {
      if (!desk.order.digits) return;
      try {
        save(await fileOf(desk.order, format, stage, service, said), desk.order, format);
      } catch (error) {
        report(error);
      }
    });
  }
}

/**
 * The service's own file; where nobody answers, the browser's.
 * @param {import("./order.js").Order} order
 * @param {string} format
 * @param {Stage} stage
 * @param {Service | null} service
 * @param {HTMLElement} said
 */
async function fileOf(order, format, stage, service, said) {
  try {
    if (service) return await service.picture(order, format);
  } catch (error) {
    const alone = error instanceof ServiceError && error.status === 0;
    if (!alone || format === "svg") throw error;
    said.textContent = "Made by the browser, as the service cannot be reached.";
  }
  return browserFile(order, format, stage);
}

/**
 * @param {import("./order.js").Order} order
 * @param {string} format
 * @param {Stage} stage
 * @returns {Promise<Blob>}
 */
async function browserFile(order, format, stage) {
  if (!stage.sheet) throw new Error("There is no picture yet.");
  const canvas = document.createElement("canvas");
  paintPixels(canvas, stage.sheet, palette(order.ink, order.paper), order.scale);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, `image/${format}`, 1));
  if (blob?.type !== `image/${format}`) throw new Error(`This browser cannot write ${format}; take PNG.`);
  return blob;
}

/**
 * @param {Blob} blob
 * @param {import("./order.js").Order} order
 * @param {string} format
 */
function save(blob, order, format) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${order.digits}-${order.seed}.${format}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * @param {Desk} desk
 * @param {Service | null} service
 */
export function bindCopies(desk, service) {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll("[data-copy]"));
  const fill = () => {
    const image = service?.link(desk.order) ?? "";
    /** @type {Record<string, string>} */
    const lines = {
      page: location.href,
      image,
      curl: `curl -o ${desk.order.digits}.png '${image}'`,
      html: `<img src="${image.replaceAll("&", "&amp;")}" alt="${desk.order.digits}">`,
    };
    for (const field of fields) field.value = lines[field.dataset.copy ?? ""];
  };
  for (const field of fields) {
    const press = /** @type {HTMLButtonElement} */ (field.nextElementSibling);
    press.setAttribute("aria-label", `Copy: ${document.getElementById(`copy-${field.dataset.copy}`)?.textContent}`);
    press.addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
        press.textContent = "Copied";
      } catch {
        press.textContent = "Ctrl C"; // not allowed here: the line is selected
      }
      setTimeout(() => (press.textContent = "Copy"), 1500);
    });
  }
  desk.addEventListener("change", fill);
  fill();
}
