/** The golden cases of PyTorch and Keras, made by `scripts/goldens`, carried by the repository, never skipped. */
import { readFileSync } from "node:fs";
import type { Test } from "uvu";
import { decodeSafetensors, type StoredTensor } from "../../bindings/saving/safetensors.ts";
import { caseOf, type OracleCase, type Runner } from "../cases/case.ts";

/** The folder of the goldens. */
export const GOLDENS = new URL("../fixtures/goldens/", import.meta.url);

/** All cases of a group such as "keras/layer": descriptions from its JSON file, arrays from its safetensors. */
export function goldensOf(group: string): OracleCase[] {
  const { cases, ...shared } = JSON.parse(readFileSync(new URL(`${group}.json`, GOLDENS), "utf8"));
  const { tensors } = decodeSafetensors(readFileSync(new URL(`${group}.safetensors`, GOLDENS)));
  const arrays: Record<string, Record<string, StoredTensor>> = {};
  for (const [path, tensor] of Object.entries(tensors)) {
    const slash = path.indexOf("/");
    (arrays[path.slice(0, slash)] ??= {})[path.slice(slash + 1)] = tensor;
  }
  return Object.entries<object>(cases).map(([name, description]) =>
    caseOf(group, name, { ...shared, ...description }, arrays[name]),
  );
}

/** Declares one test per case of a group, those that `choose` names. */
export function eachGolden(
  test: Test,
  group: string,
  run: Runner,
  choose: (name: string) => boolean = () => true,
): void {
  const cases = goldensOf(group).filter(({ name }) => choose(name));
  if (cases.length === 0) throw new Error(`goldens: expected a case in ${group}, got none`);
  for (const golden of cases) test(`${group}/${golden.name}`, () => run(golden));
}
