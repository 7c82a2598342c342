import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Globals of Node that scripts use. */
const nodeGlobals = [
  "AbortController",
  "Buffer",
  "URL",
  "clearTimeout",
  "console",
  "performance",
  "process",
  "setTimeout",
];

export default defineConfig(
  // test/types compiles its promises where the built package is installed.
  { ignores: ["build/", "coverage/", "dist/", "docs/api/", "node_modules/", "prebuilds/", "test/types/promises/"] },
  {
    files: ["**/*.{ts,mts}"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      eqeqeq: "error",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // Index loops over typed arrays are the plain way to write numerical code.
      "@typescript-eslint/prefer-for-of": "off",
      // `array[i]!` where i is known to be inside is how noUncheckedIndexedAccess reads in such loops.
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["**/*.{js,cjs,mjs}"],
    extends: [tseslint.configs.strict, tseslint.configs.stylistic],
    languageOptions: { globals: Object.fromEntries(nodeGlobals.map((name) => [name, "readonly"])) },
    rules: { eqeqeq: "error", "no-undef": "error" },
  },
  {
    files: ["**/*.cjs"],
    languageOptions: { globals: { module: "writable", require: "readonly", __dirname: "readonly" } },
    rules: { "@typescript-eslint/no-require-imports": "off" },
  },
);
