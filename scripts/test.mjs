// npm test [-- part of a path …]: installs and builds what is missing or stale, runs every test file, counts.
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { files } from "./files.mjs";
import { prepare } from "./prepare.mjs";

const MINUTES = 10;
const running = new Set();

/** Stops a test file with the browsers or workers it started: it leads a process group of its own. */
function stop(child) {
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // it has ended by itself
  }
}

/** Runs one file; resolves to what it printed and how it ended. */
function execute(file) {
  return new Promise((resolve) => {
    const env = { ...process.env, NO_COLOR: "1" };
    delete env.FORCE_COLOR;
    const child = spawn(process.execPath, ["--import", "tsx", file], { env, detached: process.platform !== "win32" });
    running.add(child);
    let output = "";
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      stop(child);
    }, MINUTES * 60000);
    for (const pipe of [child.stdout, child.stderr]) pipe.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ output, hung, ending: signal ?? code });
    });
  });
}

const SUMMARY = /^ {2}Total: +(\d+)\n {2}Passed: +(\d+)\n {2}Skipped: +(\d+)$/gm;

/** Counts of one file. uvu exits with 0 when it ran nothing or a hook threw, so its summary decides. */
function judge({ output, hung, ending }) {
  const summaries = [...output.matchAll(SUMMARY)];
  const [total, passed, skipped] = (summaries[0] ?? [0, 0, 0, 0]).slice(1).map(Number);
  let reason;
  if (hung) reason = `did not end within ${MINUTES} minutes`;
  else if (summaries.length === 0) reason = `ended with ${ending} before uvu's summary (is there a test.run()?)`;
  else if (summaries.length > 1) reason = "ran its suites in several rounds (was one declared after an await?)";
  else if (total + skipped === 0) reason = "ran no test";
  else if (passed < total) {
    const hint = output.includes(" FAIL ") ? "" : ": a hook threw, uvu does not print its error";
    reason = `${total - passed} of ${total} failed${hint}`;
  } else if (ending !== 0) reason = `ended with ${ending}`;
  return { passed, skipped, failed: reason === undefined ? 0 : Math.max(1, total - passed), reason };
}

const skips = ({ skipped }) => (skipped > 0 ? `, ${skipped} skipped` : "");

async function main() {
  prepare();
  const wanted = process.argv.slice(2);
  const found = files("test")
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => file.endsWith(".test.ts") && (wanted.length === 0 || wanted.some((part) => file.includes(part))))
    .sort();
  const sum = { passed: 0, failed: 0, skipped: 0 };

  async function work(queue) {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const started = Date.now();
      const result = await execute(file);
      const { reason, ...counts } = judge(result);
      for (const key of Object.keys(sum)) sum[key] += counts[key];
      const seconds = ((Date.now() - started) / 1000).toFixed(1);
      if (reason === undefined) console.log(`ok   ${file}  ${counts.passed} passed${skips(counts)}  ${seconds} s`);
      else console.log(`\nFAIL ${file}: ${reason}\n${result.output}`);
    }
  }

  const isTimed = (file) => file.endsWith(".timed.test.ts");
  const others = found.filter((file) => !isTimed(file));
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, () => work(others)));
  await work(found.filter(isTimed)); // what measures time has the machine to itself
  console.log(`${sum.passed} passed, ${sum.failed} failed${skips(sum)}`);
  process.exitCode = sum.failed > 0 || sum.passed === 0 ? 1 : 0;
}

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    running.forEach(stop);
    process.exit(1);
  });
}
await main();
