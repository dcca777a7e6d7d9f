/** Targets that read texts: saved tokenizers and tables. */
import { readCsv } from "../../bindings/data/csv.ts";
import { byteTokenizer, characterTokenizer, wordTokenizer, type TokenizerJson } from "../../bindings/text/index.ts";
import type { Random } from "../../bindings/base/random.ts";
import { changed, pick, type Target } from "./target.ts";

const SAVED: readonly TokenizerJson[] = [
  characterTokenizer({ padding: true, specials: ["start"] })
    .fit("gatewise")
    .toJSON(),
  byteTokenizer({ specials: ["end"] }).toJSON(),
  wordTokenizer({ maxTokens: 9 }).fit("a small step, and a small step more").toJSON(),
  wordTokenizer({ pattern: /\p{L}+|[^\p{L}\s]/u, lower: false })
    .fit("Élan, vital!")
    .toJSON(),
];

const PATTERNS = ["(a+)+b", "a*a*b", "(", "\\w+", "(?:", "[z-a]", "\\p{X}", "a{2,1}", "(?<n>a)\\k<n>", "x".repeat(50)];

export const tokenizers: Target = {
  name: "tokenizers",
  share: 0.15,
  make(random) {
    let json: unknown = pick(random, SAVED);
    if (random.uniform() < 0.2)
      json = {
        ...(json as object),
        pattern: { source: pick(random, PATTERNS), flags: pick(random, ["", "u", "gg", "v"]) },
      };
    for (let n = random.below(3); n >= 0; n--) json = changed(random, json);
    return random.uniform() < 0.5 ? json : JSON.stringify(json);
  },
  read(json: TokenizerJson) {
    for (const kind of [characterTokenizer, byteTokenizer, wordTokenizer]) {
      let tokenizer;
      try {
        tokenizer = kind.from(json);
      } catch (error) {
        if ((error as { code?: string }).code === "ERR_FORMAT") continue;
        throw error;
      }
      tokenizer.decode(tokenizer.encode(`${"a".repeat(40)}b, small step`));
    }
  },
  size: (json) => JSON.stringify(json)?.length ?? 0,
};

const CELLS = [
  "1",
  "-2.5e3",
  "1e999",
  "x",
  "",
  '"a,b"',
  '"',
  '""',
  "NaN",
  "\u0000",
  "模",
  " 7 ",
  "1".repeat(300),
  "1_0",
];
const BETWEEN = [",", ";", "\t", "|", ",,"];
const ENDS = ["\n", "\r\n", "\r", "\n\n", ""];

/** A table of random cells, most rows as long as the first. */
function randomTable(random: Random): string {
  const [columns, between, end] = [1 + random.below(5), pick(random, BETWEEN), pick(random, ENDS)];
  const row = (): string => {
    const count = random.uniform() < 0.9 ? columns : random.below(7);
    return Array.from({ length: count }, () =>
      random.uniform() < 0.6 ? String(random.below(99)) : pick(random, CELLS),
    ).join(between);
  };
  const header = Array.from({ length: columns }, (_, i) => (random.uniform() < 0.9 ? `c${i}` : pick(random, CELLS)));
  return [header.join(between), ...Array.from({ length: random.below(6) }, row)].join(end);
}

const OPTIONS = [
  {},
  { header: false },
  { missing: "skip" },
  { columns: ["c0"] },
  { texts: ["c1"] },
  { delimiter: ";" },
] as const;

export const csv: Target = {
  name: "csv",
  share: 0.2,
  make: (random) => [randomTable(random), pick(random, OPTIONS)],
  read: ([text, options]: [string, object]) => readCsv(text, options),
  size: ([text]: [string]) => text.length,
};
