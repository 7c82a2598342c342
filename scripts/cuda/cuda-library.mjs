import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "../support/run.mjs";

/** GPUs that releases are compiled for, by compute capability; the last with PTX besides, for those to come. */
export const allTargets = [75, 80, 86, 89, 90, 100, 120];

/** All that the library may depend on: what every Linux with its C library has. CUDA's own runtime is inside it. */
const systemLibraries = /^(libc|libm|libdl|libpthread|librt|ld-linux-x86-64|ld-linux-aarch64)\.so\.\d+$/;

/** Its exported symbols. */
export async function exportsOf(library) {
  const symbols = await run("nm", ["--dynamic", "--defined-only", "--format=posix", library]);
  return symbols
    .trim()
    .split("\n")
    .map((line) => line.split(" ")[0]);
}

/** Libraries that it needs and that are not the system's. */
export async function foreignLibrariesOf(library) {
  const needed = [...(await run("readelf", ["--dynamic", library])).matchAll(/\(NEEDED\).*\[(.*)\]/g)];
  return needed.map(([, name]) => name).filter((name) => !systemLibraries.test(name));
}

/**
 * What each .cu file was compiled to, such as ["sm_75", "sm_80", "compute_80"]. Reads the containers that nvcc puts into
 * a program ("fat binaries"), as the tool that shows them is no part of every toolkit.
 * @returns {string[][]}
 */
export function codeIn(library) {
  const bytes = readFileSync(join(root, library));
  const magic = Buffer.from([0x50, 0xed, 0x55, 0xba]);
  const kinds = { 1: "compute", 2: "sm" };
  const files = [];
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + magic.length)) {
    const start = at + bytes.readUInt16LE(at + 6);
    const end = start + Number(bytes.readBigUInt64LE(at + 8));
    const code = [];
    for (let entry = start; entry < end;) {
      code.push(`${kinds[bytes.readUInt16LE(entry)] ?? "unknown"}_${bytes.readUInt32LE(entry + 28)}`);
      entry += bytes.readUInt32LE(entry + 4) + Number(bytes.readBigUInt64LE(entry + 8));
    }
    files.push(code);
  }
  return files;
}
