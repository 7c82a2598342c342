/**
 * What `npm publish` would publish: that it holds what it must and nothing else, and that Node, TypeScript and bundlers
 * find their way in it. Packs into a temporary folder and needs no network. Run by `npm run lint`.
 */
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { npm, setUp } from "./setup.mjs";
import { ExplainedError, packageScript, root, run, runMain, tryRun } from "./support/run.mjs";

/** Files under a folder of the project, by their path in it. */
function filesOf(folder) {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll("\\", "/"));
}

/** What the compiler makes of a source: "lib/index.mts" -> "dist/index.mjs", its map and its types. */
function outputsOf(source) {
  const [, name, module] = /^lib\/(.*)\.(m?)ts$/.exec(source);
  return [`dist/${name}.${module}js`, `dist/${name}.${module}js.map`, `dist/${name}.d.${module}ts`];
}

/** Of docs/, what only somebody needs who works on the project. */
const docsOfDevelopers = ["roofline.md"];

/** Every file that the package must hold; prebuilds/ holds the binaries that were made so far. */
function expectedFiles() {
  return [
    ...["package.json", "README.md", "LICENSE", "CHANGELOG.md", "CMakeLists.txt"],
    ...readdirSync(join(root, "docs"))
      .filter((name) => /\.(md|svg)$/.test(name) && !docsOfDevelopers.includes(name))
      .map((name) => `docs/${name}`),
    ...filesOf("lib").flatMap(outputsOf),
    ...filesOf("native").filter((name) =>
      /^native\/(?!test\/|emulator\/|gpu_check\/).*\.(cpp|h|cu|cuh|map)$/.test(name),
    ),
    ...(readdirSync(root).includes("prebuilds") ? filesOf("prebuilds").filter((name) => name.endsWith(".node")) : []),
  ];
}

/** @param {readonly string[]} files - Paths in the package. @returns {string[]} One line for each problem. */
function checkFiles(files) {
  const expected = expectedFiles();
  const missing = expected.filter((name) => !files.includes(name));
  const surplus = files.filter((name) => !expected.includes(name));
  return [
    ...missing.map((name) => `Expected ${name} in the package but it is missing`),
    ...surplus.map((name) => `Expected nothing but sources and what is built from them but received ${name}`),
  ];
}

/** Maps must hold their sources, as lib/ is not in the package. */
function checkSourceMaps(files) {
  const complete = ({ sources, sourcesContent }) => sources.length === sourcesContent?.length;
  return files
    .filter((name) => name.endsWith(".map") && name.startsWith("dist/"))
    .filter((name) => !complete(JSON.parse(readFileSync(join(root, name), "utf8"))))
    .map((name) => `Expected ${name} to hold its sources but it does not`);
}

async function checkWithPublint(tarball) {
  const { publint } = await import("publint");
  const { formatMessage } = await import("publint/utils");
  const { buffer } = new Uint8Array(readFileSync(tarball));
  // A tarball's own folder is called package.
  const { messages, pkg } = await publint({ pkgDir: "package", pack: { tarball: buffer }, strict: true });
  return messages.map((message) => `publint: ${message.type}: ${formatMessage(message, pkg, { color: false })}`);
}

async function checkWithAttw(tarball) {
  const args = ["--format", "ascii", "--no-color", "--no-emoji", tarball];
  const { status, output } = await tryRun(...packageScript("@arethetypeswrong/cli/dist/index.js", ...args));
  return status === 0 ? [] : [`Are the types wrong?\n${output.trim()}`];
}

await runMain(async () => {
  await setUp({ only: ["dependencies", "typescript"] });
  const folder = mkdtempSync(join(tmpdir(), "gru4rec-package-"));
  try {
    const args = ["--json", "--loglevel=error", "--ignore-scripts", `--pack-destination=${folder}`];
    const [packed] = JSON.parse(await run(...npm("pack", ...args)));
    const tarball = join(folder, packed.filename);
    const files = packed.files.map(({ path }) => path);
    const problems = [
      ...checkFiles(files),
      ...checkSourceMaps(files),
      ...(await checkWithPublint(tarball)),
      ...(await checkWithAttw(tarball)),
    ];
    if (problems.length > 0) throw new ExplainedError(problems.join("\n"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
