// The table of the model's quality, from its card (GET /model).

import { find, part } from "./element.js";

/** @type {{name: string, description: string, meaning: string, lower?: boolean, share?: boolean}[]} lower is better */
const METRICS = [
  { name: "label_agreement", description: "Samples that a judge reads as the requested digit", meaning: "The judge is a classifier that took no part in training.", share: true },
  { name: "cas", description: "Real digits read correctly by a classifier trained only on samples", meaning: "It learns only what samples show, so they must be right and varied.", share: true },
  { name: "precision", description: "Samples that look real", meaning: "Seen by the judge, they are as near to a real digit as real ones are to each other.", share: true },
  { name: "recall", description: "Real digits that have a similar sample", meaning: "The same the other way round: how much of what people write can be drawn.", share: true },
  { name: "coverage", description: "Real digits with a sample among their nearest neighbours", meaning: "As recall, but samples far from all real digits do not count.", share: true },
  { name: "c2st", description: "Accuracy of a classifier that tells samples from real digits (lower is better)", meaning: "At 50 % it cannot tell them apart.", share: true, lower: true },
  { name: "speck_share", description: "Samples with a lone speck of ink (lower is better)", meaning: "A single inked pixel without an inked neighbour; real digits rarely have one.", share: true, lower: true },
  { name: "frame_share", description: "Samples whose ink is exactly 20 pixels high or wide", meaning: "Real digits were scaled to that.", share: true },
  { name: "frechet_distance", description: "Fréchet distance to real digits (lower is better)", meaning: "How far all samples together are from all real digits, seen by the judge.", lower: true },
];

const FRAMED = 0.5; // share of real pictures above which they are taken to have been scaled to a frame

/** @param {any} card of the model */
export function showQuality(card) {
  const measured = card.metrics?.evaluation;
  part("#model-summary").textContent = `Model ${card.model}, ${card.parameters.toLocaleString("en")} parameters.`;
  if (!measured?.samples) return;
  const body = find("#quality tbody", HTMLTableSectionElement);
  const framed = measured.real?.frame_share > FRAMED;
  for (const { name, description, meaning, lower, share } of METRICS) {
    if (name === "frame_share" && !framed) continue;
    const values = [measured.samples, measured.baseline, measured.real].map((column) => column?.[name]);
    const row = body.insertRow();
    const head = document.createElement("th");
    head.scope = "row";
    const explanation = document.createElement("small");
    explanation.textContent = meaning;
    head.append(description, explanation);
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
