// The table of the model's quality, from its card (GET /model).

import { find, part } from "./element.js";

/** @type {{name: string, description: string, lower?: boolean, share?: boolean}[]} lower is better */
const METRICS = [
  { name: "label_agreement", description: "Samples that a judge reads as the requested digit", share: true },
  { name: "cas", description: "Real digits read correctly by a classifier trained only on samples", share: true },
  { name: "precision", description: "Samples that look real", share: true },
  { name: "recall", description: "Real digits that have a similar sample", share: true },
  { name: "frechet_distance", description: "Fréchet distance to real digits (lower is better)", lower: true },
];

/** @param {any} card of the model */
export function showQuality(card) {
  const measured = card.metrics?.evaluation;
  part("#model-summary").textContent = `Model ${card.model}, ${card.parameters.toLocaleString("en")} parameters.`;
  if (!measured?.samples) return;
  const body = find("#quality tbody", HTMLTableSectionElement);
  for (const { name, description, lower, share } of METRICS) {
    const values = [measured.samples, measured.baseline, measured.real].map((column) => column?.[name]);
    const row = body.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = description;
    row.append(head);
    values.forEach((value, index) => {
      const cell = row.insertCell();
      cell.textContent = value === undefined ? "–" : share ? `${(100 * value).toFixed(1)} %` : value.toFixed(1);
      const other = values[1 - index];
      const best = index < 2 && other !== undefined && (lower ? value < other : value > other);
      cell.classList.toggle("best", best);
    });
  }
  part("#quality").hidden = false;
}
