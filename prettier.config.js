// One formatter for TypeScript, AssemblyScript and scripts.
export default {
  printWidth: 120,
  overrides: [{ files: "assembly/**/*.ts", options: { plugins: ["assemblyscript-prettier"] } }],
};
