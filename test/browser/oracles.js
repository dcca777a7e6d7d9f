// Runs the bundled oracle tests in a worker, where files can be read without waiting, and posts how they ended.
const post = (report) => fetch("/report", { method: "POST", body: JSON.stringify(report) });

const worker = new Worker("/bundle/test/oracles.js", { type: "module" });
worker.onmessage = ({ data }) => post(data);
worker.onerror = ({ message, filename, lineno }) =>
  post({ error: `${message ?? "the bundle could not be loaded"} at ${filename}:${lineno}` });
