/** A program that runs the scene it is given: effects of fewer or more threads on a process. JSON on the last line. */
import v8 from "node:v8";
import { backendInfo, init, layers, sequential } from "../../bindings/index.ts";

const warnings: string[] = [];
console.warn = (text: string) => void warnings.push(text);

const x = { data: new Float32Array(32 * 20 * 8).fill(0.5), shape: [32, 20, 8] };
const y = { data: new Float32Array(32).fill(0.1), shape: [32, 1] };

function trained() {
  const model = sequential([layers.lstm({ units: 64 }), layers.dense({ units: 1 })], {
    inputShape: [null, 8],
    seed: 1,
  });
  model.compile({ loss: "mse" });
  return { model, loss: model.trainOnBatch(x, y).loss };
}

async function plain(options: Parameters<typeof init>[0]): Promise<object> {
  await init(options);
  await init(options);
  const { loss } = trained();
  return { warnings, loss, threads: backendInfo().threads };
}

const scenes: Record<string, () => Promise<object>> = {
  /** Ends by itself, with workers asleep. */
  ends: () => plain({ build: "simd", threads: 3 }),
  one: () => plain({ build: "simd" }),
  withoutSharedMemory() {
    delete (globalThis as { SharedArrayBuffer?: unknown }).SharedArrayBuffer;
    return plain({ build: "simd", threads: 2 });
  },
  notIsolated() {
    (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated = false;
    return plain({ build: "simd", threads: 2 });
  },
  withoutWorkers() {
    const { getBuiltinModule } = process;
    process.getBuiltinModule = ((name: string) => {
      if (name !== "node:worker_threads") return getBuiltinModule(name);
      return {
        Worker: class {
          constructor() {
            throw new Error("no workers today");
          }
        },
      };
    }) as typeof getBuiltinModule;
    return plain({ build: "simd", threads: 2 });
  },
  reference: () => plain({ build: "reference", threads: 2 }),
  /** What the calling thread makes and keeps in a thousand divided steps. */
  async allocation() {
    await init({ build: "simd", threads: 2 });
    const { model } = trained();
    const used = (): number => v8.getHeapStatistics().used_heap_size;
    for (let i = 0; i < 300; i++) model.trainOnBatch(x, y);
    globalThis.gc!();
    const [before, bytes] = [used(), backendInfo().memoryBytes];
    let made = 0;
    for (let slice = 0; slice < 10; slice++) {
      const start = used();
      for (let i = 0; i < 30; i++) model.trainOnBatch(x, y);
      made += Math.max(0, used() - start);
    }
    globalThis.gc!();
    return { calls: 300, made, held: used() - before, arena: backendInfo().memoryBytes - bytes };
  },
};

console.log(JSON.stringify(await scenes[process.argv[2]]()));
