/** The examples with --quick: they beat their baselines, repeat their results by seed, and refuse bad input. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { runNode } from "../support/child.ts";

interface Example {
  /** The score, then the baseline. */
  readonly scores: RegExp;
  readonly better: "lower" | "higher";
  /** What its `--data` is when it is no such thing. */
  readonly badData: { readonly content: string; readonly sentence: RegExp };
  /** How far below or above the baseline the score must be, as a factor. */
  readonly margin: number;
  /** Whether anything in it is random. */
  readonly seeded?: boolean;
  /** Lines that must be in its output. */
  readonly lines?: readonly RegExp[];
}

const tooShort = {
  content: "Call me Ishmael.",
  sentence: /^--data: expected a text of at least 20000 characters, got 16 in /,
};

const EXAMPLES: Record<string, Example> = {
  characters: {
    scores: /held-out text: ([\d.]+) bits per character, bigram baseline ([\d.]+)/,
    better: "lower",
    margin: 0.95,
    badData: tooShort,
  },
  text_generation: {
    scores: /held-out text: ([\d.]+) bits per character, bigram baseline ([\d.]+)/,
    better: "lower",
    margin: 0.95,
    badData: tooShort,
  },
  next_value: {
    scores: /mean squared error on the last fifth: ([\d.]+), last-value baseline ([\d.]+)/,
    better: "lower",
    margin: 0.5,
    badData: { content: "1\n2\nthree\n", sentence: /^--data: expected numbers, got "three" in / },
  },
  price_forecast: {
    scores: /root mean squared error of price: ([\d.]+), last-price baseline ([\d.]+)/,
    better: "lower",
    margin: 0.85,
    badData: { content: "date,price\n2024-01-01,5\n", sentence: /^--data: expected at least 50 prices, got 1 in / },
    lines: [/^the picture is in .*price_forecast\.svg$/m],
  },
  sentiment: {
    scores: /reviews judged rightly: ([\d.]+), majority baseline ([\d.]+)/,
    better: "higher",
    margin: 1.15,
    badData: {
      content: `${"Call me Ishmael.\t1\n".repeat(99)}Loomings\n`,
      sentence: /^--data: expected a text, a tab, and 0 or 1 in each line, got another in line 100 of /,
    },
  },
  equations: {
    // hand's numbers: the sums of step 1 are 2, so gates are 0.8808; of step 2 of the RNN 1 + 2 · 0.8808 + 1
    scores: /largest difference: ([\d.e-]+) \(32-bit floats around 1 are ([\d.e-]+) apart\)/,
    better: "lower",
    margin: 4,
    seeded: false,
    badData: {
      content: "1,2\n3,four\n",
      sentence: /^--data: expected a table .*: row 2: expected a number in column "1", got "four"/,
    },
    lines: [
      "h 0.8808 0.8808 0.8808 0.8808",
      "y 0.9406 0.9406",
      "h 0.9773 0.9773 0.9773 0.9773",
      "y 0.9505 0.9505",
      "c 0.7758 0.7758 0.7758 0.7758",
      "o 0.9414 0.9414 0.9414 0.9414",
      "h 0.6446 0.6446 0.6446 0.6446",
      "y 0.9080 0.9080",
      "z 0.8808 0.8808 0.8808 0.8808",
      "h 0.1050 0.1050 0.1050 0.1050",
      "y 0.7703 0.7703",
      "z 0.9526 0.9526 0.9526 0.9526",
    ].map((line) => new RegExp(`^ +${line.replaceAll(" ", " +")}$`, "m")),
  },
  stacked: {
    scores: /bits right: (\d+), baseline of the bit before: (\d+) of 5/,
    better: "higher",
    margin: 1.2,
    badData: { content: "1 0 2\n", sentence: /^--data: expected 0 and 1, got "2" in / },
    lines: [/^it says {4}1 0 1 1 0$/m],
  },
  one_file: {
    scores: /held-out names, in 8 bits: ([\d.]+), majority baseline ([\d.]+)/,
    better: "higher",
    margin: 2,
    badData: { content: "Ahab\n", sentence: /^--data: expected a folder, got / },
    lines: [/^the page is in .*one_file\.html: 3\d\d kB, compressed 2\d\d kB; \d\d kB of it are script and kernels$/m],
  },
  names: {
    scores: /held-out names: ([\d.]+), majority baseline ([\d.]+)/,
    better: "higher",
    margin: 2,
    badData: { content: "Ahab\n", sentence: /^--data: expected a folder, got / },
  },
};

/** What does not tell the time. */
const timeless = (output: string): string =>
  output
    .split("\n")
    .filter((line) => !/ ms|characters\/s/.test(line))
    .join("\n");

for (const [name, { scores, better, margin, badData, seeded = true, lines = [] }] of Object.entries(EXAMPLES)) {
  const test = suite(`example ${name}`);
  const file = `examples/${name}.mjs`;
  let first = "";

  test("beats its baseline", () => {
    const { status, output, errors } = runNode(file, "--quick");
    assert.is(status, 0, errors);
    first = timeless(output);
    const [, score, baseline] = (scores.exec(output) ??
      assert.unreachable(`no scores in:\n${output}`)) as unknown as string[];
    const beaten =
      better === "lower" ? Number(score) < Number(baseline) * margin : Number(score) > Number(baseline) * margin;
    assert.ok(
      beaten,
      `expected a score ${better} than the baseline ${baseline} by a factor of ${margin}, got ${score}`,
    );
    for (const line of lines) assert.match(output, line);
  });

  test("gives the same by the same seed, other things by another", () => {
    assert.is(timeless(runNode(file, "--quick").output), first);
    if (seeded) assert.is.not(timeless(runNode(file, "--quick", "--seed", "2").output), first);
  });

  test("refuses what it cannot use in a sentence", () => {
    const folder = mkdtempSync(join(tmpdir(), "gatewise-"));
    const data = join(folder, "data");
    writeFileSync(data, badData.content);
    const wrong = runNode(file, "--quick", "--data", data);
    const missing = runNode(file, "--quick", "--data", join(folder, "none"));
    const unknown = runNode(file, "--quik");
    rmSync(folder, { recursive: true });
    for (const { status, errors } of [wrong, missing, unknown]) {
      assert.is(status, 1, errors);
      assert.is(errors.trim().split("\n").length, 1, errors);
    }
    assert.match(wrong.errors, badData.sentence);
    assert.match(missing.errors, /^--data: expected .*none/);
    assert.match(unknown.errors, /--quik.*Options: --data/);
  });

  test.run();
}
