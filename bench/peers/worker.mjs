// node --import tsx bench/peers/worker.mjs NAME [option …]: serves libraries/NAME.mjs on standard input (protocol.mjs).
import { serve } from "./protocol.mjs";

const [name, ...options] = process.argv.slice(2);
serve(await import(`./libraries/${name}.mjs`), options);
