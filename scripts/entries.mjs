// The entries of the package: bundle → file below bindings/. Each but `index` is a sub-path, such as `gatewise/data`.
export const ENTRIES = {
  index: "index",
  infer: "infer",
  exported: "exported",
  data: "data/index",
  text: "text/index",
  csv: "data/csv",
  worker: "worker/index",
  reference: "reference",
};
