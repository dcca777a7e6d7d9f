// Surnames by language: a folder with a list for each.
import { readFileSync, readdirSync } from "node:fs";
import { fail } from "./options.mjs";

/** Reads LANGUAGE.txt files, one name per line, at least `least` names in all. */
export function readNames(folder, least) {
  let files = [];
  try {
    files = readdirSync(folder)
      .filter((file) => file.endsWith(".txt"))
      .sort();
  } catch (error) {
    fail(`--data: expected a folder, got ${folder}: ${error.message}`);
  }
  const read = (file) =>
    readFileSync(`${folder}/${file}`, "utf8")
      .toLowerCase()
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "");
  const names = files.flatMap((file, language) => read(file).map((name) => ({ name, language })));
  if (files.length < 2 || names.length < least)
    fail(
      `--data: expected two languages or more and ${least} names, got ${files.length} and ${names.length} in ${folder}`,
    );
  return { languages: files.map((file) => file.replace(".txt", "")), names };
}
