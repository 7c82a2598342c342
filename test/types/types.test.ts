import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { describeParameter, parameterNames } from "../../lib/config";

jest.setTimeout(120_000);

// What the types promise is written in promises/, and compiled in projects that have the built package installed.

const root = join(__dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "gru4rec-types-"));
afterAll(() => rmSync(folder, { recursive: true }));

const projects = {
  "a CommonJS project": { type: "commonjs", module: ts.ModuleKind.NodeNext, files: /\.(ts|cts|cjs)$/ },
  "an ES module project": { type: "module", module: ts.ModuleKind.NodeNext, files: /\.(ts|cts|cjs)$/ },
  "a bundler's project": { type: "module", module: ts.ModuleKind.ESNext, files: /\.ts$/ },
};
type Project = keyof typeof projects;

const options = (project: Project): ts.CompilerOptions => ({
  strict: true,
  skipLibCheck: false,
  checkJs: true,
  noEmit: true,
  target: ts.ScriptTarget.ES2022,
  module: projects[project].module,
  ...(projects[project].module === ts.ModuleKind.ESNext && { moduleResolution: ts.ModuleResolutionKind.Bundler }),
  types: ["node"],
});
const folderOf = (project: Project) => join(folder, projects[project].module.toString(), projects[project].type);

/** Of node_modules no more than the package and its dependencies, and the types of Node. */
function install(): void {
  const modules = join(folder, "node_modules");
  const packed = { recursive: true, dereference: true };
  for (const name of ["package.json", "dist"]) cpSync(join(root, name), join(modules, "gru4rec", name), packed);
  mkdirSync(join(modules, "@types"));
  for (const name of ["zod", "@types/node"]) symlinkSync(join(root, "node_modules", name), join(modules, name));
}

beforeAll(() => {
  install();
  for (const project of Object.keys(projects) as Project[]) {
    cpSync(join(__dirname, "promises"), folderOf(project), { recursive: true });
    writeFileSync(join(folderOf(project), "package.json"), JSON.stringify({ type: projects[project].type }));
  }
});

/** The compiler's complaints, one a line. */
function complaints(program: ts.Program): string {
  const host = {
    getCanonicalFileName: (name: string) => name,
    getCurrentDirectory: () => folder,
    getNewLine: () => "\n",
  };
  return ts.formatDiagnostics(ts.getPreEmitDiagnostics(program), host);
}

describe.each(Object.keys(projects) as Project[])("in %s", (project) => {
  const names = readdirSync(join(__dirname, "promises")).filter((name) => projects[project].files.test(name));

  test("the types keep every promise, without errors of their own", () => {
    const files = names.map((name) => join(folderOf(project), name));
    expect(complaints(ts.createProgram(files, options(project)))).toBe("");
  });
});

describe("in an editor", () => {
  const project = "an ES module project";
  const path = join(folderOf(project), "snippet.ts");
  const snippets: string[] = [];
  const service = ts.createLanguageService({
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    getCompilationSettings: () => options(project),
    getScriptFileNames: () => [path],
    getScriptVersion: (name) => (name === path ? String(snippets.length) : "1"),
    getScriptSnapshot: (name) => {
      const text = name === path ? snippets.at(-1) : ts.sys.readFile(name);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    fileExists: (name) => name === path || ts.sys.fileExists(name),
    getCurrentDirectory: () => folder,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  });

  /** Opens a program and puts the cursor where it has a `|`. */
  function open(snippet: string): number {
    const position = snippet.indexOf("|");
    snippets.push(snippet.slice(0, position) + snippet.slice(position + 1));
    return position;
  }

  function completions(snippet: string): string[] {
    return service.getCompletionsAtPosition(path, open(snippet), {})!.entries.map(({ name }) => name);
  }

  test("train() offers every option", () => {
    const names = completions('import { train } from "gru4rec"; void train("clicks.tsv", { lo| });');
    const run = [
      "columns",
      "format",
      "keepOptimiserState",
      "memoryLimit",
      "onEpoch",
      "onNote",
      "onProgress",
      "onWarning",
      "signal",
      "skipBadRows",
      "timeUnit",
      "validation",
      "window",
    ];
    expect(names.sort()).toEqual([...parameterNames, ...run, "parameters"].sort());
  });

  test.each([
    ["loss", describeParameter("loss").choices],
    ["adapt", describeParameter("adapt").choices],
    ["device", ["auto", "cpu", "cuda"]],
    ["precision", describeParameter("precision").choices],
    ["embedding", ["layersize", "none", "shared"]],
    ["timeUnit", ["ms", "s"]],
    ["format", ["csv", "jsonl", "parquet"]],
  ])("%s offers every value", (name, values) => {
    const names = completions(`import { train } from "gru4rec"; void train("clicks.tsv", { ${name}: "|" });`);
    expect(names.sort()).toEqual([...values!].sort());
  });

  test.each(parameterNames)("%s comes with its documentation", (name) => {
    const position = open(`import { train } from "gru4rec"; void train("clicks.tsv", { |${name}: undefined });`);
    const text = ts.displayPartsToString(service.getQuickInfoAtPosition(path, position)!.documentation);
    const { doc, author } = describeParameter(name);
    expect(text).toContain(doc);
    expect(text).toContain(describeParameter(name).default);
    if (author !== undefined) expect(text).toContain(author);
  });
});
