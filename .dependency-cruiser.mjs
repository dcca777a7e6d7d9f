// Imports between the rooms of bindings/, those of types included.
import { ROOMS } from "./scripts/rooms.mjs";

const rooms = ROOMS.map(([name]) => name);
const inside = (...names) => `^bindings/(${names.join("|")})/`;

export default {
  forbidden: [
    { name: "no-circle", severity: "error", from: {}, to: { circular: true } },
    ...rooms.slice(1).map((room, i) => ({
      name: `${room}-only-down`,
      severity: "error",
      from: { path: inside(room) },
      to: { path: inside(...rooms.slice(0, i + 1)) },
    })),
    {
      name: "rooms-not-entries",
      comment: "Entries (files directly in bindings/) say what the package exports; nothing is built on them.",
      severity: "error",
      from: { path: inside(...rooms) },
      to: { path: "^bindings/[^/]+$" },
    },
    {
      name: "known-rooms",
      comment: "A folder of bindings/ that scripts/rooms.mjs does not list.",
      severity: "error",
      from: {},
      to: { path: "^bindings/[^/]+/", pathNot: inside(...rooms, "generated") },
    },
    {
      name: "reference-is-an-oracle",
      comment: "Only its entry and the fallback of the runtime import the reference.",
      severity: "error",
      from: {
        pathNot: ["^bindings/reference/", "^bindings/reference\\.ts$", "^bindings/runtime/wasm/reference\\.ts$"],
      },
      to: { path: "^bindings/reference/" },
    },
    {
      name: "reference-stands-alone",
      severity: "error",
      from: { path: "^bindings/reference/" },
      to: { path: "^bindings/", pathNot: ["^bindings/(reference|abi|base)/", "^bindings/generated/kernels"] },
    },
  ],
  options: { tsPreCompilationDeps: true, doNotFollow: { path: "node_modules" } },
};
