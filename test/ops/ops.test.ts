/** Every public op: values by formula, gradients by differences, on every build. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as ops from "../../bindings/ops/index.ts";
import { backendOf, builds } from "../support/backends.ts";
import { checkGradients, checkValues } from "../support/gradients/finite_difference.ts";
import { close } from "../support/numbers.ts";
import { TABLE } from "./table.ts";

const backends = builds.map(backendOf);

for (const [name, cases] of Object.entries(TABLE)) {
  const test = suite(`ops.${name}`);

  for (const { what, inputs, fn, plain, smooth = true } of cases) {
    test(what, () => {
      const check = smooth ? checkGradients : checkValues;
      const [{ data, shape }] = check(`${name} ${what}`, backends, () => ({ fn, inputs }));
      const expected = plain(...inputs);
      assert.equal([...shape], [...expected.shape], "shape");
      close(data, expected.data, 1e-9, "values");
    });
  }

  test.run();
}

const table = suite("ops table");

table("has a row for every op, and a case in every row", () => {
  assert.equal(Object.keys(TABLE).sort(), Object.keys(ops).sort());
  for (const [name, cases] of Object.entries(TABLE)) assert.ok(cases.length > 0, name);
});

table.run();
