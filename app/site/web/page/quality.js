// What the model is worth, from its card (GET /model), beside the article's and real digits.

import { find, part } from "./element.js";

/** @type {{name: string, words: string, lower?: boolean, share?: boolean}[]} */
const FIGURES = [
  { name: "label_agreement", words: "A judge reads the digit that was asked for", share: true },
  { name: "cas", words: "A classifier that learned only from samples reads real digits", share: true },
  { name: "precision", words: "Samples that look real", share: true },
  { name: "recall", words: "Real digits that samples come near to", share: true },
  { name: "frechet_distance", words: "Fréchet distance from real digits (less is better)", lower: true },
];

/** @param {any} card of the model */
export function showQuality(card) {
  const measured = card.metrics?.evaluation;
  part("#model-said").textContent = `Model ${card.model}, ${card.parameters.toLocaleString("en")} weights.`;
  if (!measured?.samples) return;
  const body = find("#quality tbody", HTMLTableSectionElement);
  for (const { name, words, lower, share } of FIGURES) {
    const values = [measured.samples, measured.baseline, measured.real].map((column) => column?.[name]);
    const row = body.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = words;
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
