// npm run example NAME [-- arguments]: installs and builds what is missing, then runs examples/NAME.mjs.
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { prepare } from "./prepare.mjs";

/** Runs an example with the terminal to itself; ends as it ended. */
export function runExample(name, args) {
  prepare();
  const names = readdirSync("examples")
    .filter((file) => file.endsWith(".mjs"))
    .map((file) => file.slice(0, -".mjs".length));
  if (!names.includes(name)) {
    console.error(`npm run example NAME: expected one of ${names.join(", ")}, got ${name ?? "nothing"}`);
    process.exit(1);
  }
  const { status } = spawnSync(process.execPath, [`examples/${name}.mjs`, ...args], { stdio: "inherit" });
  process.exit(status ?? 1);
}

if (process.argv[1]?.endsWith("example.mjs")) runExample(process.argv[2], process.argv.slice(3));
