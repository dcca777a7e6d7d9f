import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as errors from "../../bindings/base/errors.ts";

const test = suite("errors");

const codes: Record<string, string> = {
  ShapeError: "ERR_SHAPE",
  ValueError: "ERR_VALUE",
  OptionError: "ERR_OPTION",
  TraceError: "ERR_TRACE",
  DisposedError: "ERR_DISPOSED",
  MemoryError: "ERR_MEMORY",
  FormatError: "ERR_FORMAT",
  NonFiniteError: "ERR_NON_FINITE",
  StateError: "ERR_STATE",
  WorkerError: "ERR_WORKER",
  UnsupportedError: "ERR_UNSUPPORTED",
  GatewiseError: "ERR_GATEWISE",
};

test("every class has its name, its code and its place", () => {
  const classes = Object.entries(errors).filter(([name]) => name.endsWith("Error"));
  assert.is(classes.length, Object.keys(codes).length);
  for (const [name, value] of classes) {
    const Class = value as unknown as new (message: string, ...more: unknown[]) => errors.GatewiseError;
    const error = new Class("gru: expected 3, got 4", {}, {});
    assert.is(error.name, name);
    assert.is(error.code, codes[name]);
    assert.is(error.message, "gru: expected 3, got 4");
    assert.ok(error instanceof errors.GatewiseError && error instanceof Error);
    assert.match(String(error.stack), `${name}: gru: expected 3, got 4`);
  }
});

test("details are fields", () => {
  const memory = new errors.MemoryError("m", 100, 20);
  assert.equal([memory.requested, memory.available], [100, 20]);
  const loss = new errors.NonFiniteError("m", { epoch: 1, batch: 2, layer: "gru" });
  assert.equal([loss.epoch, loss.batch, loss.layer], [1, 2, "gru"]);
});

test("nearest names what was probably meant, or nothing", () => {
  const known = ["units", "returnSequences", "returnState", "activation", "recurrentActivation"];
  assert.is(errors.nearest("return_sequences", known), ', did you mean "returnSequences"?');
  assert.is(errors.nearest("unit", known), ', did you mean "units"?');
  assert.is(errors.nearest("actvation", known), ', did you mean "activation"?');
  assert.is(errors.nearest("untis", known), ', did you mean "units"?');
  assert.is(errors.nearest("Units", new Set(known)), ', did you mean "units"?');
  assert.is(errors.nearest("zzz", known), "");
  assert.is(errors.nearest("", known), "");
  assert.is(errors.nearest("x".repeat(100000), known), "");
});

test.run();
