// The result of run.mjs as Markdown.
import { percent, table, time } from "../support/report.mjs";

const ratio = (value) => `${value >= 100 ? value.toFixed(0) : value.toPrecision(2)} ×`;

/** Keys of the columns after our own time. */
const PEERS = ["ort-web", "ort-native", "torch", "tfjs-wasm", "tfjs-cpu", "brain", "naive"];
const VARIANTS = ["simd", "threads", "int8", "int8-7", "int8-14"];

/** A row per workload; a ratio is the time of a peer over ours, so above 1 we are faster. */
function groupTable(group, rows, names) {
  const has = (key) => rows.some(({ results }) => results[key]?.seconds !== undefined);
  const columns = [...PEERS, ...VARIANTS].filter(has);
  const shares = ({ ours, bound }) => [percent(bound.products / ours.fastest), percent(bound.fastest / ours.fastest)];
  const cell = (result) => (result?.seconds === undefined ? "–" : `${time(result.seconds)}, ${ratio(result.ratio)}`);
  return table(
    [
      group,
      names.ours,
      ...(has("bound") ? ["of the ceiling", "of the bound"] : []),
      ...columns.map((key) => names[key]),
    ],
    rows.map(({ name, results }) => [
      name,
      time(results.ours.seconds),
      ...(has("bound") ? shares(results) : []),
      ...columns.map((key) => cell(results[key])),
    ]),
  );
}

/** The largest difference of outputs, by contender. */
function differences(rows, names) {
  const worst = new Map();
  for (const { results } of rows) {
    for (const [key, { difference }] of Object.entries(results)) {
      if (difference !== undefined) worst.set(key, Math.max(worst.get(key) ?? 0, difference));
    }
  }
  return [...worst]
    .filter(([key]) => !["ours", "bound"].includes(key))
    .map(([key, value]) => `${names[key]} ${value.toExponential(0)}`)
    .join(", ");
}

/** What is missing in the tables, and why. */
function notes(rows, names, skipped) {
  const reasons = new Map();
  for (const { name, results } of rows) {
    for (const [key, { note }] of Object.entries(results)) {
      if (note === undefined) continue;
      const text = `${names[key]}: ${note.split("\n")[0]}`;
      reasons.set(text, [...(reasons.get(text) ?? []), name]);
    }
  }
  return [
    ...skipped.map(({ key, why }) => `- ${key}: skipped, ${why}`),
    ...[...reasons].map(([text, where]) => `- ${text} (${where.length} of ${rows.length})`),
  ].join("\n");
}

export function markdown({ node, processor, cores, load, rounds, quick, names, skipped, rows }) {
  const groups = [...new Set(rows.map(({ group }) => group))];
  const tables = groups.map((group) => {
    const own = rows.filter((row) => row.group === group);
    return groupTable(group, own, names);
  });
  const hint = quick ? ", a quick run: not to be quoted" : "";
  return [
    `${node}, ${processor}, ${cores} cores, load ${load.toFixed(1)}${hint}.`,
    `Medians of ${rounds} rounds. A ratio is their time over ours, within each round.`,
    "",
    tables.join("\n\n"),
    "",
    `Largest difference from our outputs: ${differences(rows, names)}.`,
    "",
    notes(rows, names, skipped),
    "",
  ].join("\n");
}
