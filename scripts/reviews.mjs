// node scripts/reviews.mjs: makes examples/data/reviews.txt, invented short reviews with labels, by a grammar.
// Needs a build. The file is in the repository, so there is no need to run this again.
//
// Single words do not decide the label: a third of the judgements start with their opposite ("although the plot was
// dull, the acting was fine"), and a third of all clauses are negated ("never boring").
import { writeFileSync } from "node:fs";
import { Random } from "gatewise/data";

const REVIEWS = 2400;
const POSITIVE = 0.55; // of all

const THINGS = {
  film: ["plot", "acting", "ending", "soundtrack", "dialogue", "camera work", "main character", "first half"],
  restaurant: ["soup", "service", "dessert", "wine list", "waiter", "fish", "bread", "coffee"],
  phone: ["screen", "battery", "sound", "keyboard", "camera", "charger", "case", "signal"],
  hotel: ["room", "breakfast", "bed", "view", "reception", "pool", "bathroom", "garden"],
  book: ["story", "style", "translation", "first chapter", "cover", "heroine", "argument", "index"],
};
const ADJECTIVES = {
  good: [
    "good",
    "great",
    "excellent",
    "lovely",
    "superb",
    "charming",
    "pleasant",
    "impressive",
    "wonderful",
    "delightful",
    "brilliant",
    "fine",
    "perfect",
    "memorable",
  ],
  bad: [
    "bad",
    "poor",
    "awful",
    "dull",
    "horrible",
    "disappointing",
    "tedious",
    "cheap",
    "unpleasant",
    "weak",
    "terrible",
    "boring",
    "sloppy",
    "dreadful",
  ],
};
const VERBS = {
  good: ["loved", "enjoyed", "liked", "adored", "admired"],
  bad: ["hated", "regretted", "disliked", "despised", "resented"],
};
const DEGREES = ["", "", "very ", "really ", "quite ", "rather ", "truly ", "simply "];
const ENDINGS = {
  good: ["Recommended", "I will be back", "Five stars", "Worth every penny"],
  bad: ["Avoid", "Never again", "One star", "I want my money back"],
};
const REMARKS = [
  "I bought it on a Tuesday",
  "We were four people",
  "My sister had told me about it",
  "It was raining that day",
  "This was my second time",
  "I am from a small town",
  "It took about two hours",
  "The price was as announced",
  "We sat by the window",
  "I had no plans for the evening",
];

const other = (side) => (side === "good" ? "bad" : "good");
const capital = (text) => text[0].toUpperCase() + text.slice(1);

function writer(random) {
  const pick = (list) => list[random.below(list.length)];
  const chance = (share) => random.uniform() < share;
  /** One plain judgement of a thing. */
  function clause(side, things) {
    const thing = `the ${pick(things)}`;
    const kind = random.uniform();
    if (kind < 0.45) return `${thing} was ${pick(DEGREES)}${pick(ADJECTIVES[side])}`;
    if (kind < 0.65) return `I ${pick(["", "really ", "simply "])}${pick(VERBS[side])} ${thing}`;
    if (kind < 0.85) return `${thing} was ${pick(["not", "never", "by no means"])} ${pick(ADJECTIVES[other(side)])}`;
    return `nobody could call ${thing} ${pick(ADJECTIVES[other(side)])}`;
  }
  function judgement(side, things) {
    const [said, contrary] = [clause(side, things), clause(other(side), things)];
    const kind = random.uniform();
    if (kind < 0.45) return said;
    if (kind < 0.65) return `${said} and ${clause(side, things)}`;
    if (kind < 0.8) return `${contrary}, but ${said}`;
    if (kind < 0.92) return `although ${contrary}, ${said}`;
    return `I had heard that ${contrary}, yet ${said}`;
  }
  return function review(side) {
    const [name, things] = pick(Object.entries(THINGS));
    const sentences = [judgement(side, things)];
    if (chance(0.4)) sentences.push(judgement(side, things));
    if (chance(0.4)) sentences.unshift(pick(REMARKS));
    if (chance(0.3)) sentences.unshift(`About this ${name}`);
    if (chance(0.3)) sentences.push(pick(REMARKS));
    if (chance(0.2)) sentences.push(pick(ENDINGS[side]));
    return sentences.map((sentence) => `${capital(sentence)}${pick([".", ".", ".", "!"])}`).join(" ");
  };
}

/** The file's text, the same on every machine: a review, a tab, 1 for praise or 0, line by line, none twice. */
export function reviews() {
  const random = new Random(2024);
  const write = writer(random);
  const lines = new Map();
  while (lines.size < REVIEWS) {
    const side = random.uniform() < POSITIVE ? "good" : "bad";
    lines.set(write(side), side === "good" ? 1 : 0);
  }
  return `${[...lines].map(([text, label]) => `${text}\t${label}`).join("\n")}\n`;
}

if (process.argv[1]?.endsWith("reviews.mjs"))
  writeFileSync(new URL("../examples/data/reviews.txt", import.meta.url), reviews());
