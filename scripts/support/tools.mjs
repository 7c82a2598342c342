import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ExplainedError, root, tryRun } from "./run.mjs";

const minimumCMake = [3, 18];

/** Package managers by the command that proves they are here, and what they call the tools. */
const packageManagers = {
  linux: [
    { probe: "apt-get", install: "sudo apt-get install", compiler: "g++", cmake: "cmake", make: "make" },
    { probe: "dnf", install: "sudo dnf install", compiler: "gcc-c++", cmake: "cmake", make: "make" },
    { probe: "pacman", install: "sudo pacman -S", compiler: "gcc", cmake: "cmake", make: "make" },
    { probe: "zypper", install: "sudo zypper install", compiler: "gcc-c++", cmake: "cmake", make: "make" },
    { probe: "apk", install: "sudo apk add", compiler: "g++", cmake: "cmake", make: "make" },
  ],
  darwin: [{ probe: "brew", install: "brew install", compiler: "gcc", cmake: "cmake", make: "make" }],
};

/** The command that installs `tool` on this machine, as well as it can be told. */
async function installCommand(tool) {
  if (process.platform === "win32") {
    return tool === "cmake"
      ? "winget install Kitware.CMake"
      : "winget install Microsoft.VisualStudio.2022.BuildTools --override " +
          '"--add Microsoft.VisualStudio.Workload.VCTools --includeRecommended --passive"';
  }
  if (process.platform === "darwin" && tool !== "cmake") return "xcode-select --install";
  const known = packageManagers[process.platform] ?? [];
  for (const manager of known) {
    const { status } = await tryRun(manager.probe, ["--version"]);
    if (status === 0) return `${manager.install} ${manager[tool]}`;
  }
  return known.length > 0 ? `${known[0].install} ${known[0][tool]}` : `the package manager of this system (${tool})`;
}

async function missing(what, received, tool) {
  return new ExplainedError(`Expected ${what} but ${received}. Install it with: ${await installCommand(tool)}`);
}

const newerOrSame = (version, minimum) =>
  version[0] > minimum[0] || (version[0] === minimum[0] && version[1] >= minimum[1]);

/** @throws ExplainedError when this Node is older than package.json's `engines` asks for. */
export function checkNode(version = process.versions.node) {
  const { engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const minimum = engines.node.replace(">=", "");
  if (newerOrSame(version.split(".").map(Number), minimum.split(".").map(Number))) return;
  throw new ExplainedError(
    `Expected Node ${minimum} or newer but this is ${version}. ` +
      "Install it from https://nodejs.org/en/download, or with: nvm install 22",
  );
}

/** @throws ExplainedError when CMake, a build program or a C++17 compiler is not here. */
export async function checkBuildTools() {
  const cmake = await tryRun("cmake", ["--version"]);
  const version = /cmake version (\d+)\.(\d+)/.exec(cmake.output)?.slice(1).map(Number);
  const wanted = `CMake ${minimumCMake.join(".")} or newer`;
  if (cmake.status !== 0 || version === undefined) throw await missing(wanted, "found no `cmake`", "cmake");
  if (!newerOrSame(version, minimumCMake)) throw await missing(wanted, `found ${version.join(".")}`, "cmake");

  // On Windows CMake itself finds Visual Studio and says so when there is none.
  if (process.platform === "win32") return;
  const programs = await Promise.all(["ninja", "make"].map((name) => tryRun(name, ["--version"])));
  if (programs.every(({ status }) => status !== 0)) {
    throw await missing("make or ninja", "found neither", "make");
  }
  const compilers = process.env.CXX ? [process.env.CXX] : ["c++", "g++", "clang++"];
  for (const compiler of compilers) {
    const { status } = await tryRun(compiler, [
      "-std=c++17",
      "-fsyntax-only",
      "-x",
      "c++",
      join(root, "scripts/support/cxx17.cpp"),
    ]);
    if (status === 0) return;
  }
  throw await missing("a C++17 compiler", `none of ${compilers.join(", ")} compiled a C++17 program`, "compiler");
}
