// A short guided tour: each step points at a part of the page and does something with it.

import { button, part } from "./element.js";

/**
 * @typedef {object} Step
 * @property {string} at the part that it points at
 * @property {string} title
 * @property {string} text
 * @property {string} [code] the line of ours that computes this
 * @property {() => void} [act] what the tour does with the part
 * @property {boolean} [waits] until the part has loaded
 */

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");
const MARGIN = 16; // CSS pixels above the part, at least
const ROOM = 0.5; // of the window, above the panel of the tour
const WALK = 8; // steps on the map
const WALK_MS = 180; // between two of them
const POLL_MS = 100;

/** @type {Step[]} */
const STEPS = [
  {
    at: ".editor",
    title: "A number becomes a picture",
    text: "A decoder in your browser has just drawn your number in a new handwriting. It read two things for each digit: the digit itself, and random numbers. The next steps follow its first digit.",
    code: "pixels = decoder(latent, one_hot)",
    act: () => button("#new-seed").click(),
  },
  {
    at: "#network-noise",
    title: "The handwriting is noise",
    text: "These bars are the random numbers z. The tour has drawn new ones: the digit is the same, its handwriting is not. Drag a bar to see what that number changes.",
    code: "latent = torch.randn(1, latent_size)",
    act: () => button("#new-noise").click(),
  },
  {
    at: "#network-digit",
    title: "The label says which digit",
    text: "Ten numbers x, of which one is 1. The tour has chosen another label and kept the noise: another digit, in the same handwriting.",
    code: "values = torch.cat([latent, one_hot], dim=1)",
    act: chooseNextDigit,
  },
  {
    at: "#hands",
    title: "One handwriting, ten digits",
    text: "The noise with each label, then the label with ten other noises. The model was never told what a handwriting is. It learned to keep the two apart, because the label is given and need not be stored in z.",
  },
  {
    at: "#encode .reading",
    title: "The way back",
    text: "The encoder reads a real digit and says which noise could have drawn it: a mean and a spread for each dimension of z. The tour has drawn a sample from that distribution. The decoder draws it again, and training minimises the loss.",
    code: "latent = mean + epsilon * torch.exp(log_variance / 2)",
    waits: true,
    act: () => button("#sample-again").click(),
  },
  {
    at: "#latent-map",
    title: "A map of handwritings",
    text: "Each dot is a real digit where the encoder puts it. Dots near each other are similar handwritings. The tour walks across, and the decoder draws what lies on the way. Move over the map yourself.",
    waits: true,
    act: () => walk(),
  },
  {
    at: "#hand",
    title: "Now your own handwriting",
    text: "Write a digit on the pad, or take a photo of one. The encoder finds its noise, and your number is written with it.",
  },
];

function chooseNextDigit() {
  const choices = [...part("#network-digit").querySelectorAll("input")];
  choices[(choices.findIndex((choice) => choice.checked) + 1) % choices.length].click();
}

/** Press the right arrow on the map, a few times. */
function walk(left = WALK) {
  part("#latent-map").dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", cancelable: true }));
  if (left > 1) setTimeout(() => walk(left - 1), reducedMotion.matches ? 0 : WALK_MS);
}

/** @param {Step} step */
function perform(step) {
  const shown = part(step.at);
  if (!shown.classList.contains("toured")) return; // the visitor has gone on
  if (step.waits && shown.closest(".block")?.getAttribute("data-state") !== "ready") setTimeout(() => perform(step), POLL_MS);
  else step.act?.();
}

/** Connect the button that starts the tour. */
export function bindTour() {
  const steps = STEPS.filter(({ at }) => !part(at).closest("[hidden]"));
  const [panel, start] = [part("#tour"), button("#start-tour")];
  let index = 0;
  const unmark = () => document.querySelector(".toured")?.classList.remove("toured");
  const end = () => {
    unmark();
    panel.hidden = true;
    start.focus();
  };
  /** @param {number} to */
  const go = (to) => {
    if (to === steps.length) return end();
    index = to;
    const { at, title, text, code } = steps[to];
    unmark();
    part(at).classList.add("toured");
    const { top, height } = part(at).getBoundingClientRect();
    const above = Math.max(MARGIN, (ROOM * innerHeight - height) / 2);
    scrollTo({ top: scrollY + top - above }); // smooth where page.css says so
    part("#tour-title").textContent = `${to + 1} of ${steps.length}: ${title}`;
    part("#tour-text").textContent = text;
    part("#tour-code").textContent = code ?? "";
    part("#tour-code").hidden = !code;
    button("#tour-back").disabled = to === 0;
    button("#tour-next").textContent = to === steps.length - 1 ? "Finish" : "Next";
    perform(steps[to]);
  };
  start.hidden = false;
  start.addEventListener("click", () => {
    panel.hidden = false;
    go(0);
    button("#tour-next").focus({ preventScroll: true });
  });
  button("#tour-next").addEventListener("click", () => go(index + 1));
  button("#tour-back").addEventListener("click", () => go(index - 1));
  button("#tour-end").addEventListener("click", end);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) end();
  });
}
