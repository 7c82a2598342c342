import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { checkWritable, replaceFile } from "../../lib/files";
import { expectFailure } from "../support/errors";
import { temporaryFolder } from "../support/files";

const folder = temporaryFolder();
const write = (path: string) => replaceFile(path, (file) => file.writeFile("new"));

test("a file keeps its mode", async () => {
  const path = folder.write("private", "old");
  chmodSync(path, 0o600);
  await write(path);
  expect([readFileSync(path, "utf8"), statSync(path).mode & 0o777]).toEqual(["new", 0o600]);
});

test("a link stays, whether what it points to is there or not", async () => {
  for (const target of [folder.write("target", "old"), folder.path("later")]) {
    const link = `${target} link`;
    symlinkSync(target, link);
    await write(link);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, "utf8")).toBe("new");
  }
});

test("a relative link is followed from where it really stands", async () => {
  mkdirSync(folder.path("real/sub"), { recursive: true });
  symlinkSync("real/sub", folder.path("linked"));
  symlinkSync("../target", folder.path("real/sub/link"));
  await write(folder.path("linked/link"));
  expect(readFileSync(folder.path("real/target"), "utf8")).toBe("new");
});

test("checkWritable leaves nothing, and refuses what replaceFile refuses", async () => {
  const before = readdirSync(folder.path("."));
  await checkWritable(folder.path("fresh"));
  expect(existsSync(folder.path("fresh"))).toBe(false);
  for (const path of ["", folder.path("x/"), folder.path("."), folder.path("none/x"), "/dev/null"]) {
    await expectFailure(() => checkWritable(path), "ERR_FILE", `Expected to write ${path} but`);
    await expectFailure(() => write(path), "ERR_FILE", `Expected to write ${path} but`);
  }
  expect(readdirSync(folder.path("."))).toEqual(before);
});
