// Reads digits on its own thread; local-reader.js sends it pictures.

import { ReaderNetworks } from "./reader-networks.js";
import { seeDigit, seeLine } from "./sight.js";
import { smallPicture } from "./small-picture.js";
import { answerTasks } from "./worker-client.js";

/** @type {ReaderNetworks | undefined} */
let networks;

answerTasks(({ task, file, rgba, width, height, label, line }) => {
  if (task === "open") {
    networks = new ReaderNetworks(file);
    return {};
  }
  if (!networks) throw new Error("The reader is not open.");
  const picture = smallPicture(rgba, width, height);
  return { sights: line ? seeLine(networks, picture) : seeDigit(networks, picture, label) };
});
