// Draws the still pictures when the book is built: `node still.js < models.json`. The models, numbers
// included, come from lstmkit; the pictures are those of the page. Prints a JSON list of SVGs.
import { readFileSync } from "node:fs";
import { drawGates } from "./gate-view.js";
import { drawLoop } from "./loop-view.js";

const draw = { loop: drawLoop, "gate-playground": drawGates };
const models = JSON.parse(readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(models.map(({ instrument, ...model }) => draw[instrument](model))));
