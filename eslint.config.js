// What the compilers do not check. AssemblyScript's decorators are not TypeScript, so its files are parsed leniently
// and without types.
import tseslint from "typescript-eslint";
import { maxBodyLines } from "./scripts/max_body_lines.mjs";

const sizes = {
  "max-lines": ["error", { max: 300, skipComments: true }],
  "max-lines-per-function": ["error", { max: 60, skipComments: true }],
};

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
  { ignores: ["bindings/**"], rules: width },
  {
    files: ["bindings/**/*.ts", "test/**/*.ts", "bench/**/*.ts"],
    plugins: { "@typescript-eslint": tseslint.plugin },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { project: ["tsconfig.json", "test/tsconfig.json"], tsconfigRootDir: import.meta.dirname },
    },
    rules: typed,
  },
  { files: ["bindings/**/*.ts"], rules: sizes },
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
    plugins: { "@typescript-eslint": tseslint.plugin, kernels: { rules: { "max-body-lines": maxBodyLines } } },
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { allowInvalidAST: true, errorOnUnknownASTType: false },
    },
    rules: {
      "max-lines": ["error", { max: 200, skipComments: true }],
      "kernels/max-body-lines": ["error", 60],
      eqeqeq: "off", // strings and numbers of AssemblyScript need one equality only
      "prefer-const": "error",
      "@typescript-eslint/no-unused-vars": "error",
    },
  },
);
