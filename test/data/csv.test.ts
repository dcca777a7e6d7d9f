import { readFileSync } from "node:fs";
import fc from "fast-check";
import Papa from "papaparse";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readCsv } from "../../bindings/data/csv.ts";
import { minMaxScaler, windows } from "../../bindings/data/index.ts";
import { oraclePath, oracleTest } from "../support/oracles.ts";
import { refused } from "../support/refused.ts";

const test = suite("readCsv");
const STOCK = 'date,open,note,close\n2020-01-01,10.5,"dull, flat",11\n2020-01-02, 1e2 ,"said ""up""\nand rose",-.5\n';

test("columns of numbers, and texts beside them", () => {
  assert.equal(readCsv(STOCK), {
    data: Float64Array.of(10.5, 11, 100, -0.5),
    shape: [2, 2],
    columns: ["open", "close"],
    names: ["date", "open", "note", "close"],
    texts: {},
  });
  const { data, shape, columns, texts } = readCsv(STOCK, { columns: ["close"], texts: ["note", "date"] });
  assert.equal(data, Float64Array.of(11, -0.5));
  assert.equal([shape, columns], [[2, 1], ["close"]]);
  assert.equal(texts, { note: ["dull, flat", 'said "up"\nand rose'], date: ["2020-01-01", "2020-01-02"] });
  assert.equal(readCsv(STOCK, { columns: ["close", "open"] }).data, Float64Array.of(11, 10.5, -0.5, 100));
});

test("is an array for scalers and windows", () => {
  const table = readCsv("a,b\n1,10\n2,20\n3,30\n");
  assert.equal(minMaxScaler().fit(table).transform(table).data, Float32Array.of(0, 0, 0.5, 0.5, 1, 1));
  assert.equal(windows(table, { length: 2, targets: [1] }).y.data, Float32Array.of(30));
});

test("delimiters, line breaks, byte order marks, blank lines, files without header", () => {
  const expected = Float64Array.of(1, 2, 3, 4);
  for (const text of ["a;b\r\n1;2\r\n3;4\r\n", "\ufeffa\tb\n1\t2\n\n3\t4", "a|b\r1|2\r3|4\r"]) {
    assert.equal(readCsv(text), { data: expected, shape: [2, 2], columns: ["a", "b"], names: ["a", "b"], texts: {} });
  }
  assert.equal(readCsv("1,2\n3,4", { header: false }).columns, ["0", "1"]);
  assert.equal(readCsv("1,2\n3,4", { header: false, columns: ["1"] }).data, Float64Array.of(2, 4));
  assert.equal(readCsv("a:b\n1:2", { delimiter: ":" }).data, Float64Array.of(1, 2));
  assert.equal(readCsv("price\n1.5\n2.5").data, Float64Array.of(1.5, 2.5));
  assert.equal(readCsv("a,b\n", { columns: ["b"] }).shape, [0, 1]);
});

test("missing numbers are errors, or their rows left out", () => {
  const text = "day,a,b\n1,2,x\n2,,y\n3,null,z\n4,5,\n";
  assert.equal(readCsv(text, { missing: "skip", texts: ["b"] }), {
    data: Float64Array.of(1, 2, 4, 5),
    shape: [2, 2],
    columns: ["day", "a"],
    names: ["day", "a", "b"],
    texts: { b: ["x", ""] },
  });
  refused(() => readCsv(text), "ERR_VALUE", /row 3: expected a number in column "a", got ""/);
  refused(() => readCsv(text, { columns: ["b"], missing: "skip" }), "ERR_VALUE", /row 2: .* "b", got "x"/);
});

test("what is no number", () => {
  for (const cell of ["1,5", "0x10", "Infinity", "1e999", "1 2", "five", "--1", "."]) {
    refused(() => readCsv(`a;b\n${cell};1`, { columns: ["a"] }), "ERR_VALUE", /row 2: expected a number in column "a"/);
  }
});

test("errors", () => {
  refused(() => readCsv(""), "ERR_FORMAT", /at least one row/);
  refused(() => readCsv("a,b\n1,2\n3"), "ERR_FORMAT", /row 3: expected 2 cells as in the first, got 1/);
  refused(() => readCsv("a,b\n\n1,2,3"), "ERR_FORMAT", /row 3: expected 2 cells as in the first, got 3/);
  refused(() => readCsv('a,b\n1,2\n"3,4\n'), "ERR_FORMAT", /row 3: .*quotation mark/);
  for (const text of ["a,b\n", "a,b\nx,y"])
    refused(() => readCsv(text), "ERR_FORMAT", /expected a column of numbers, got "a", "b" without/);
  refused(() => readCsv("a,b,a\n1,2,3"), "ERR_FORMAT", /different names of columns, got "a" twice/);
  refused(() => readCsv(STOCK, { columns: ["Close"] }), "ERR_OPTION", /got "Close", did you mean "close"/);
  refused(() => readCsv(STOCK, { texts: ["dates"] }), "ERR_OPTION", /"date", "open", "note", "close", got "dates"/);
  refused(() => readCsv(STOCK, { column: ["open"] } as object), "ERR_OPTION", /did you mean "columns"/);
  refused(() => readCsv(STOCK, { columns: "open" as never }), "ERR_OPTION", /columns as a list of different names/);
  refused(() => readCsv(STOCK, { columns: ["open", "open"] }), "ERR_OPTION", /different names/);
  refused(() => readCsv(STOCK, { header: "yes" as never }), "ERR_OPTION", /header true or false/);
  refused(() => readCsv(STOCK, { missing: "zero" as never }), "ERR_OPTION", /missing "error" or "skip"/);
  for (const delimiter of ["", '"', "\n"]) refused(() => readCsv(STOCK, { delimiter }), "ERR_OPTION", /a delimiter/);
  refused(() => readCsv(undefined as never), "ERR_VALUE", /the text of a table, got undefined/);
  refused(() => readCsv(STOCK, null as never), "ERR_OPTION", /object of options/);
});

test("whatever papaparse writes is read as it was", () => {
  const cell = fc.string({ unit: fc.constantFrom(...'ab ,;"\n\té') });
  const rows = fc.array(fc.tuple(fc.double({ noNaN: true, noDefaultInfinity: true }), cell), { minLength: 1 });
  fc.assert(
    fc.property(rows, fc.constantFrom(",", ";", "\t"), (list, delimiter) => {
      const { data, texts } = readCsv(Papa.unparse([["number", "text"], ...list], { delimiter }), {
        delimiter,
        columns: ["number"],
        texts: ["text"],
      });
      assert.equal(
        [...data],
        list.map(([number]) => (number === 0 ? Number(String(number)) : number)),
      );
      assert.equal(
        texts.text,
        list.map(([, text]) => text),
      );
    }),
    { seed: 20260101, numRuns: 300 },
  );
});

oracleTest(test, "real tables", () => {
  const read = (name: string, options = {}) =>
    readCsv(readFileSync(oraclePath(`data/timeseries/${name}`), "utf8"), options);
  assert.equal(read("Airline.csv").shape, [144, 1]);
  assert.equal(read("sp500-2000.csv", { columns: ["close"], texts: ["date"] }).texts.date[0], "2000-01-03");
  assert.equal(read("seattle-weather.csv").columns, ["precipitation", "temp_max", "temp_min", "wind"]);
});

test("time in proportion to columns and to the length of a cell", () => {
  const names = Array.from({ length: 50_000 }, (_, i) => `c${i}`);
  const text = `${names.join()}\n${names.map((_, i) => i).join()}\n`;
  const start = performance.now();
  assert.equal(readCsv(text, { columns: names }).shape, [1, 50_000]);
  assert.equal(readCsv(text, { columns: ["c7"], texts: names.slice(8) }).data, Float64Array.of(7));
  refused(
    () => readCsv(`a\n${"1".repeat(200_000)}x`, { columns: ["a"] }),
    "ERR_VALUE",
    /expected a number in column "a"/,
  );
  assert.ok(performance.now() - start < 2000, `${performance.now() - start} ms`);
});

test.run();
