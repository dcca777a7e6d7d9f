// npm start [-- --data FILE …]: the main job, trains a character model on a novel and streams text from it.
import { runExample } from "./example.mjs";

runExample("characters", process.argv.slice(2));
