// npm run fuzz [-- target …] [--count N] [--seed S]: installs and builds what is missing, then runs test/fuzz.
import { spawnSync } from "node:child_process";
import { prepare } from "./prepare.mjs";

prepare();
const { status } = spawnSync(process.execPath, ["--import", "tsx", "test/fuzz/run.ts", ...process.argv.slice(2)], {
  stdio: "inherit",
});
process.exit(status ?? 1);
