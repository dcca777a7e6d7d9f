/**
 * Tables from text, read by papaparse, which is installed beside gatewise by those who use this.
 *
 * @module gatewise/csv
 */
import Papa from "papaparse";
import { FormatError, OptionError, ValueError, nearest } from "../base/errors.ts";
import { checkOptions } from "../base/options.ts";
import { quoted } from "../base/formatting.ts";

/** Options of `readCsv`. */
export interface CsvOptions {
  /** The columns of numbers to read, in this order. Default: all in which there is nothing else. */
  columns?: readonly string[];
  /** Columns to keep as texts: dates, names, labels. Default: none. */
  texts?: readonly string[];
  /** Whether the first row names the columns. Default true; otherwise they are "0", "1" and so on. */
  header?: boolean;
  /** What stands between cells. Default: found out, of comma, tab, bar and semicolon. */
  delimiter?: string;
  /** What becomes of a row without a number in one of the columns read: an error, or left out. @default "error" */
  missing?: "error" | "skip";
}

/** A table: an array [rows, columns], as every function of gatewise takes it, with its names and texts. */
export interface Csv {
  /** The numbers, row by row; NaN stands nowhere. */
  readonly data: Float64Array;
  /** [rows, columns] */
  readonly shape: number[];
  /** The name of each column of `data`. */
  readonly columns: string[];
  /** The names of all columns of the file. */
  readonly names: string[];
  /** The cells of each column of `texts`, [rows]. */
  readonly texts: Record<string, string[]>;
}

interface Table {
  readonly names: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Where each row is in the file, as a spreadsheet counts. */
  readonly places: readonly number[];
}

/** Linear in the length of a cell: no digit can be taken by two parts of it. */
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;
const MISSING = new Set(["", "na", "n/a", "nan", "null", "none"]);
const isMissing = (cell: string): boolean => MISSING.has(cell.trim().toLowerCase());
const isNumber = (cell: string): boolean => NUMBER.test(cell.trim()) && Number.isFinite(Number(cell));

function checkKinds({ header, delimiter, missing, columns, texts }: CsvOptions): void {
  const expect = (holds: boolean, what: string, got: unknown): void => {
    if (!holds) throw new OptionError(`readCsv: expected ${what}, got ${quoted(got)}`);
  };
  expect(header === undefined || typeof header === "boolean", "header true or false", header);
  expect(missing === undefined || missing === "error" || missing === "skip", 'missing "error" or "skip"', missing);
  const delimits = typeof delimiter === "string" && delimiter !== "" && !Papa.BAD_DELIMITERS.includes(delimiter);
  expect(delimiter === undefined || delimits, "a delimiter that is neither quotation mark nor line break", delimiter);
  for (const [name, list] of Object.entries({ columns, texts })) {
    const names =
      Array.isArray(list) && list.every((item) => typeof item === "string") && new Set(list).size === list.length;
    expect(list === undefined || names, `${name} as a list of different names`, list);
  }
}

/** @throws FormatError for what is no table */
function readTable(text: string, header: boolean, delimiter: string): Table {
  // blank lines mislead papaparse's search for the delimiter; skipping them in the second pass would lose row numbers
  const found = delimiter || Papa.parse<string[]>(text, { preview: 10, skipEmptyLines: true }).meta.delimiter;
  const { data, errors } = Papa.parse<string[]>(text, { delimiter: found });
  const quotes = errors.find(({ type }) => type === "Quotes");
  if (quotes)
    throw new FormatError(
      `readCsv: row ${(quotes.row ?? 0) + 1}: expected every quotation mark to have its other one, got one alone`,
    );
  const places = [...data.keys()].filter((i) => data[i].length > 1 || data[i][0] !== "");
  if (places.length === 0) throw new FormatError("readCsv: expected at least one row, got none");
  const names = data[places[0]].map((cell, i) => (header ? cell.trim() : String(i)));
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined)
    throw new FormatError(`readCsv: expected different names of columns, got ${JSON.stringify(twice)} twice`);
  for (const i of places) {
    if (data[i].length !== names.length)
      throw new FormatError(
        `readCsv: row ${i + 1}: expected ${names.length} cells as in the first, got ${data[i].length}`,
      );
  }
  const body = header ? places.slice(1) : places;
  return { names, rows: body.map((i) => data[i]), places: body.map((i) => i + 1) };
}

/** Places of columns by their names. */
function find(names: readonly string[], wanted: readonly string[]): number[] {
  const places = new Map(names.map((name, i) => [name, i]));
  return wanted.map((name) => {
    const at = places.get(name);
    if (at === undefined)
      throw new OptionError(
        `readCsv: expected one of the columns ${names.map((known) => JSON.stringify(known)).join(", ")}, ` +
          `got ${JSON.stringify(name)}${nearest(name, names)}`,
      );
    return at;
  });
}

/** The columns in which there are numbers, and nothing else but missing ones. */
const numeric = ({ names, rows }: Table, texts: ReadonlySet<number>): number[] =>
  [...names.keys()].filter(
    (at) =>
      !texts.has(at) &&
      rows.some((row) => isNumber(row[at])) &&
      rows.every((row) => isNumber(row[at]) || isMissing(row[at])),
  );

/**
 * Reads a table of comma-separated values. Messages count rows as a spreadsheet does: the header is row 1.
 *
 * @param text  the content of a file; what quotation marks hold may have delimiters and line breaks in it
 * @returns data [rows, columns] in double precision, and the texts asked for
 * @throws ValueError for a cell of a column read that is no finite number; empty cells, NA, N/A, NaN, null and none are
 *         missing numbers
 * @throws OptionError for unknown options and columns
 * @throws FormatError for rows with more or fewer cells than the first, and for quotation marks that do not close,
 *         and when nothing is left to read
 * @example
 * const prices = readCsv(readFileSync("prices.csv", "utf8"), { columns: ["open", "close"], texts: ["date"] });
 * const { x, y } = windows(prices, { length: 10, targets: [1] });
 */
export function readCsv(text: string, options: CsvOptions = {}): Csv {
  checkOptions("readCsv", options, ["columns", "texts", "header", "delimiter", "missing"]);
  checkKinds(options);
  if (typeof text !== "string")
    throw new ValueError(`readCsv: expected the text of a table, got ${text === null ? "null" : typeof text}`);
  const { header = true, delimiter = "", missing = "error", texts = [] } = options;
  const table = readTable(text, header, delimiter);
  const { names, rows, places } = table;
  const kept = find(names, texts);
  const chosen = options.columns ? find(names, options.columns) : numeric(table, new Set(kept));
  if (chosen.length + kept.length === 0)
    throw new FormatError(
      `readCsv: expected a column of numbers, got ${names.map((name) => JSON.stringify(name)).join(", ")} without`,
    );
  const data: number[] = [];
  const read: number[] = [];
  rows.forEach((row, i) => {
    if (missing === "skip" && chosen.some((at) => isMissing(row[at]))) return;
    for (const at of chosen) {
      if (!isNumber(row[at]))
        throw new ValueError(
          `readCsv: row ${places[i]}: expected a number in column ${JSON.stringify(names[at])}, ` +
            `got ${JSON.stringify(row[at])}`,
        );
      data.push(Number(row[at]));
    }
    read.push(i);
  });
  return {
    data: Float64Array.from(data),
    shape: [read.length, chosen.length],
    columns: chosen.map((at) => names[at]),
    names: [...names],
    texts: Object.fromEntries(kept.map((at) => [names[at], read.map((i) => rows[i][at])])),
  };
}
