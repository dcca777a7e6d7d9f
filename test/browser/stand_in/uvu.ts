/** What the oracle tests use of uvu, in a browser: runs suites one after the other and tells how each test ended. */

/** How a test ended. */
export interface Result {
  readonly suite: string;
  readonly name: string;
  /** Why it failed; undefined when it passed. */
  readonly error?: string | undefined;
}

type Run = (context: object) => unknown;

const queue: (() => Promise<Result[]>)[] = [];

export function suite(name: string): object {
  const tests: [name: string, run: Run][] = [];
  const before: Run[] = [];
  const after: Run[] = [];
  const afterEach: Run[] = [];
  const skip = (): void => {
    throw new Error(`${name}: expected the oracles, which the server has, got a test that is skipped`);
  };
  const run = (): void =>
    void queue.push(async () => {
      const results: Result[] = [];
      for (const hook of before) await hook({});
      for (const [test, body] of tests) {
        try {
          await body({});
          for (const hook of afterEach) await hook({});
          results.push({ suite: name, name: test });
        } catch (error) {
          results.push({ suite: name, name: test, error: String((error as Error).stack ?? error) });
        }
      }
      for (const hook of after) await hook({});
      return results;
    });
  const declare = (test: string, body: Run): void => void tests.push([test, body]);
  const hooks =
    (list: Run[]) =>
    (hook: Run): void =>
      void list.push(hook);
  return Object.assign(declare, {
    skip,
    run,
    before: hooks(before),
    after: Object.assign(hooks(after), { each: hooks(afterEach) }),
  });
}

/** Runs all suites that were declared. */
export async function runAll(): Promise<Result[]> {
  const results: Result[] = [];
  for (const each of queue) results.push(...(await each()));
  return results;
}
