// npm run bench [-- --quick] [name …]: installs and builds what is missing, then times the workloads of bench/.
import { spawnSync } from "node:child_process";
import { prepare } from "./prepare.mjs";

prepare();
const { status } = spawnSync(
  process.execPath,
  ["--import", "tsx", "bench/regression/run.ts", ...process.argv.slice(2)],
  {
    stdio: "inherit",
  },
);
process.exit(status ?? 1);
