// What the compilers do not check. AssemblyScript's decorators are not TypeScript, so its files are parsed leniently
// and without types.
import tseslint from "typescript-eslint";

const sizes = (lines) => ({
  "max-lines": ["error", { max: lines, skipComments: true }],
  "max-lines-per-function": ["error", { max: 60, skipComments: true }],
});

const common = {
  eqeqeq: ["error", "always", { null: "ignore" }],
  "no-constant-condition": "error",
  "no-debugger": "error",
  "no-duplicate-imports": ["error", { allowSeparateTypeImports: true }],
  "no-else-return": "error",
  "no-unreachable": "error",
  "no-unused-private-class-members": "error",
  "no-useless-escape": "error",
  "no-useless-rename": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "prefer-const": "error",
  "prefer-template": "error",
  "no-warning-comments": "error",
};

/** Prettier leaves strings, comments and templates alone. A word of 100 characters cannot be broken. */
const width = {
  "max-len": ["error", { code: 120, ignoreUrls: true, ignoreRegExpLiterals: true, ignorePattern: "\\S{100}" }],
};

const typed = {
  "@typescript-eslint/await-thenable": "error",
  "@typescript-eslint/consistent-type-imports": "error",
  "@typescript-eslint/no-floating-promises": "error",
  "@typescript-eslint/no-misused-promises": "error",
  "@typescript-eslint/no-unused-vars": [
    "error",
    { argsIgnorePattern: "^_", varsIgnorePattern: "^_", ignoreRestSiblings: true },
  ],
  "@typescript-eslint/only-throw-error": "error",
  "@typescript-eslint/switch-exhaustiveness-check": "error",
};

export default tseslint.config(
  { ignores: ["build/", "dist/", "bindings/generated/", "examples/data/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" }, rules: common },
  { ignores: ["assembly/**", "bindings/**"], rules: width },
  {
    files: ["bindings/**/*.ts", "test/**/*.ts", "bench/**/*.ts"],
    plugins: { "@typescript-eslint": tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: ["tsconfig.json", "test/tsconfig.json"], tsconfigRootDir: import.meta.dirname },
    },
    rules: typed,
  },
  { files: ["bindings/**/*.ts"], rules: sizes(300) },
  // a family of kernels is one function over its views
  { files: ["bindings/reference/**/*.ts"], rules: { "max-lines-per-function": "off" } },
  {
    files: ["bindings/**/*.ts"],
    ignores: ["bindings/runtime/heap.ts", "bindings/runtime/threads/worker.ts", "bindings/reference/**"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: [
            "MemberExpression[property.name='buffer'][object.name='memory']",
            "MemberExpression[property.name='buffer'] > MemberExpression[property.name='memory']",
          ].join(),
          message:
            "The memory's buffer is replaced when it grows: take views from the heap (bindings/runtime/heap.ts).",
        },
      ],
    },
  },
  {
    files: ["assembly/**/*.ts"],
    plugins: { "@typescript-eslint": tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { allowInvalidAST: true, errorOnUnknownASTType: false },
    },
    // there is only one equality in AssemblyScript that strings and numbers need
    rules: { ...sizes(200), eqeqeq: "off", "prefer-const": "error", "@typescript-eslint/no-unused-vars": "error" },
  },
  {
    // longer than the limits since lines are broken at 120 columns; each is to be split
    files: [
      "assembly/kernels/{lstm,q8_sequences}.ts",
      "assembly/lib/{gemv,lstm_step,q8_dot,tile,tiles,unary,unary_grad}.ts",
      "bindings/runtime/replay.ts",
      "bindings/text/tokenizer.ts",
      "bindings/training/callbacks/callbacks.ts",
    ],
    rules: { "max-lines": "off", "max-lines-per-function": "off" },
  },
);
