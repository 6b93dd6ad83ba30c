// Finds the digits in a picture and reads them, as model/reading/reader.py does.

import { Frame, SIDE } from "./frame.js";
import { cutOut } from "./cutout.js";
import { findGroups, grown, joined, overlap } from "./groups.js";
import { nearest } from "./resample.js";

/** @typedef {import("./groups.js").Group} Group */
/** @typedef {import("./reader-networks.js").ReaderNetworks} ReaderNetworks */
/** @typedef {import("./resample.js").Box} Box */
/** @typedef {import("./resample.js").Picture} Picture */
/**
 * @typedef {object} Seen a group of ink that was looked at
 * @property {Box} box in pixels of the picture
 * @property {Float32Array} digit (784,) in [0, 1], in the form of MNIST
 * @property {Float32Array} shares (11,) the probability of each label, and that it is not a digit
 */

export const LABELS = 10;
const MOST = 6; // groups of a picture that are read
const LEAST_MASS = 0.1; // of the ink of the largest group
const LEAST_SIDE = 3; // pixels of a frame: smaller groups are specks
const MOST_IN_LINE = 24;
const TILES = 3; // along the longer side of a picture of a line, half overlapping
const MARGIN = 0.3; // of the longer side of a group, on each side of it
const SAME = 0.5; // of a group's box: then it is in the group that is looked at
const REACH = 0.06 * SIDE; // pixels around that group

/**
 * The digits and marks in a picture, those with most ink first.
 * @param {ReaderNetworks} networks
 * @param {Picture} picture in colour
 */
export function read(networks, picture) {
  const frame = new Frame(picture);
  const groups = kept(findGroups(networks.find(frame.input()), frame.area), MOST);
  return look(networks, picture, groups.map(({ box }) => frame.placed(box)));
}

/**
 * Likewise in a picture of a line of digits, from left to right.
 * @param {ReaderNetworks} networks
 * @param {Picture} picture in colour
 */
export function readLine(networks, picture) {
  const side = Math.max(picture.width, picture.height) / TILES;
  const scale = SIDE / side;
  const [width, height] = [nearest(picture.width * scale), nearest(picture.height * scale)];
  const ink = { values: new Float32Array(width * height), width, height, channels: 1 };
  for (const top of starts(picture.height, side)) {
    for (const left of starts(picture.width, side)) {
      const box = [left, top, left + Math.min(side, picture.width), top + Math.min(side, picture.height)];
      const frame = new Frame(picture, /** @type {Box} */ (box));
      keepMost(ink, frame.inside(networks.find(frame.input())), nearest(left * scale), nearest(top * scale));
    }
  }
  const places = kept(findGroups(ink, [0, 0, width, height]), MOST_IN_LINE).map(({ box }) => /** @type {Box} */ (box.map((side) => side / scale)));
  return look(networks, picture, places.sort((a, b) => a[0] - b[0] || a[1] - b[1]));
}

/**
 * Where tiles begin that cover a length, half overlapping.
 * @param {number} length
 * @param {number} side
 */
function starts(length, side) {
  if (length <= side) return [0];
  const count = Math.ceil((2 * (length - side)) / side) + 1;
  return Array.from({ length: count }, (_, index) => (index * (length - side)) / (count - 1));
}

/**
 * Put a part of a plane in its place, where it has more ink than what is there.
 * @param {Picture} whole
 * @param {Picture} part
 * @param {number} left
 * @param {number} top
 */
function keepMost(whole, part, left, top) {
  part.values.forEach((value, at) => {
    const [x, y] = [left + (at % part.width), top + Math.floor(at / part.width)];
    if (x >= whole.width || y >= whole.height) return;
    whole.values[y * whole.width + x] = Math.max(whole.values[y * whole.width + x], value);
  });
}

/**
 * What a second look finds at each place.
 * @param {ReaderNetworks} networks
 * @param {Picture} picture
 * @param {Box[]} places
 * @returns {Seen[]}
 */
function look(networks, picture, places) {
  return places.flatMap((place) => {
    const frame = new Frame(picture, withMargin(place, picture));
    const ink = networks.find(frame.input());
    const own = ownGroup(frame, ink, place);
    if (!own) return [];
    const near = grown({ ...ink, values: grown({ ...ink, values: Float32Array.from(own.mask) }) });
    const digit = cutOut(picture, frame, { ...ink, values: ink.values.map((value, at) => value * near[at]) });
    return [{ box: frame.placed(own.box), digit, shares: networks.classify(digit) }];
  });
}

/**
 * The groups that are not specks beside the largest one.
 * @param {Group[]} groups
 * @param {number} most
 */
function kept(groups, most) {
  return groups
    .slice(0, most)
    .filter(({ mass, box: [left, top, right, bottom] }) => mass >= LEAST_MASS * groups[0].mass && Math.max(right - left, bottom - top) >= LEAST_SIDE);
}

/**
 * A box with a margin, in whole pixels inside a picture.
 * @param {Box} box
 * @param {Picture} picture
 * @returns {Box}
 */
function withMargin([left, top, right, bottom], { width, height }) {
  const margin = MARGIN * Math.max(right - left, bottom - top);
  return [
    Math.max(0, Math.trunc(left - margin)),
    Math.max(0, Math.trunc(top - margin)),
    Math.min(width, Math.ceil(right + margin)),
    Math.min(height, Math.ceil(bottom + margin)),
  ];
}

/**
 * The ink of a frame at the place that it was made for; null if there is none any more.
 * @param {Frame} frame
 * @param {Picture} ink
 * @param {Box} place
 */
function ownGroup(frame, ink, place) {
  const [left, top, right, bottom] = place.map((side, at) => (side - frame.box[at % 2]) / frame.scale + (at % 2 ? frame.top : frame.left));
  /** @type {Box} */
  const wide = [left - REACH, top - REACH, right + REACH, bottom + REACH];
  const groups = kept(findGroups(ink, frame.area).filter(({ box }) => overlap(box, wide) >= SAME), MOST);
  return groups.length ? joined(groups.filter(({ cut }) => groups[0].cut || !cut), ink, frame.area) : null;
}
