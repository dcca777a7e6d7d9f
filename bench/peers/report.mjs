// A run of the peers as Markdown.

const time = (seconds) =>
  seconds >= 1
    ? `${seconds.toPrecision(3)} s`
    : seconds >= 1e-3
      ? `${(seconds * 1e3).toPrecision(3)} ms`
      : `${(seconds * 1e6).toPrecision(3)} µs`;
const ratio = (value) => `${value >= 100 ? value.toFixed(0) : value.toPrecision(2)} ×`;
const percent = (value) => `${Math.round(value * 100)} %`;

/** Columns after our own time; ratios are their time over ours, so above 1 we are quicker. */
const PEERS = ["ort-web", "ort-native", "torch", "tfjs-wasm", "tfjs-cpu", "brain", "naive"];
const OURS = ["simd", "threads", "int8", "int8-7", "int8-14"];

function groupTable(group, rows, names) {
  const has = (key) => rows.some(({ results }) => results[key]?.seconds !== undefined);
  const peers = PEERS.filter(has);
  const variants = OURS.filter(has);
  const head = [
    group,
    names.ours,
    ...(has("bound") ? ["of the ceiling", "of the bound"] : []),
    ...peers.map((key) => names[key]),
    ...variants.map((key) => names[key]),
  ];
  const lines = rows.map(({ name, results }) => {
    const { ours, bound } = results;
    return [
      name,
      time(ours.seconds),
      ...(has("bound") ? [percent(bound.products / ours.fastest), percent(bound.fastest / ours.fastest)] : []),
      ...[...peers, ...variants].map((key) =>
        results[key]?.seconds === undefined ? "–" : `${time(results[key].seconds)}, ${ratio(results[key].ratio)}`,
      ),
    ];
  });
  return [head, head.map(() => "---"), ...lines].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** The largest differences of outputs, by contender. */
function differences(rows, names) {
  const worst = new Map();
  for (const { results } of rows) {
    for (const [key, { difference }] of Object.entries(results))
      if (difference !== undefined) worst.set(key, Math.max(worst.get(key) ?? 0, difference));
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
  return `${node}, ${processor}, ${cores} cores, load ${load.toFixed(1)}${quick ? ", a quick run: not to be quoted" : ""}. Medians of ${rounds} rounds; the ratio is their time over ours, taken within each round.

${groups
  .map((group) =>
    groupTable(
      group,
      rows.filter((row) => row.group === group),
      names,
    ),
  )
  .join("\n\n")}

Largest difference from our outputs: ${differences(rows, names)}.

${notes(rows, names, skipped)}
`;
}
