import { existsSync } from "node:fs";
import { listDevices, type DeviceList } from "../../lib";
import type * as CudaLibrary from "../../lib/native/cuda-library";
import { describeEmulated, describeReal, EMULATED_CUBLAS, emulatedEnvironment, REAL_LIBRARY } from "../support/cuda";
import { temporaryFolder } from "../support/files";
import { CLI, runNode, runScript } from "../support/processes";

// What is found of devices, and what is said where nothing is. The emulator and the back end read their environment once,
// so that each case has a process of its own.
jest.setTimeout(60_000);

const folder = temporaryFolder();

/** What `listDevices()` gives. */
async function listedWith(environment: Record<string, string>): Promise<DeviceList> {
  const { code, stdout, stderr } = await runScript("console.log(JSON.stringify(gru4rec.listDevices()));", environment);
  expect([code, stderr]).toEqual([0, ""]);
  return JSON.parse(stdout) as DeviceList;
}

/** Error of a small training on `device`, or where the model computes. */
async function trainedOn(device: string, environment: Record<string, string>): Promise<string> {
  const script = `
    const data = { sessionId: [1, 1, 2, 2], itemId: [1, 2, 3, 4], time: [1, 2, 3, 4] };
    const options = { device: "${device}", nEpochs: 1, layers: [8], batchSize: 2, nSample: 4, sampleStore: 100 };
    gru4rec.train(data, options).then(
      (model) => {
        console.log(model.device);
        model.dispose();
      },
      ({ code, message }) => console.log(code + " " + message),
    );`;
  const { code, stdout, stderr } = await runScript(script, environment);
  expect([code, stderr]).toEqual([0, ""]);
  return stdout.trimEnd();
}

describe("without CUDA", () => {
  const nowhere = { GRU4REC_CUDA_LIBRARY: folder.path("nowhere.so") };

  test("the CPU is listed, with its threads, instruction set and memory", () => {
    const [cpu] = listDevices().devices;
    expect(cpu).toMatchObject({ id: "cpu", usable: true });
    expect(cpu.threads).toBeGreaterThan(0);
    expect(["avx512", "avx2", "portable"]).toContain(cpu.instructionSet);
    if (existsSync("/proc/meminfo")) {
      expect(cpu.memory.total).toBeGreaterThan(2 ** 28);
      expect(cpu.memory.free).toBeLessThanOrEqual(cpu.memory.total);
      expect(cpu.memory.free).toBeGreaterThan(0);
    }
  });

  test("a library that is not there: the reason names the path; auto takes the CPU, cuda is an error", async () => {
    const list = await listedWith(nowhere);
    expect(list).toMatchObject({ auto: "cpu", cuda: { usable: false, library: nowhere.GRU4REC_CUDA_LIBRARY } });
    expect(list.cuda.reason).toMatch(/^Expected the CUDA library .*nowhere\.so to load but received: .*nowhere\.so/);
    expect(list.devices.map(({ id }) => id)).toEqual(["cpu"]);
    expect(await trainedOn("auto", nowhere)).toMatch(/^cpu \(/);
    expect(await trainedOn("cpu", nowhere)).toMatch(/^cpu \(/);
    for (const device of ["cuda", "cuda:0", "cuda:3"])
      expect(await trainedOn(device, nowhere)).toMatch(/^ERR_DEVICE Expected the CUDA library .*nowhere\.so to load/);
  });

  test("a file that is no library", async () => {
    const path = folder.write("text.so", "not a library");
    expect(await trainedOn("cuda", { GRU4REC_CUDA_LIBRARY: path })).toMatch(
      /^ERR_DEVICE Expected the CUDA library .*text\.so to load but received: .*(invalid ELF header|too short|not)/,
    );
  });

  test("no library at all: the error says where it was looked for and what to do", () => {
    jest.isolateModules(() => {
      jest.doMock("node:fs", () => ({ ...jest.requireActual<object>("node:fs"), existsSync: () => false }));
      const { findCudaLibrary, missingLibrary } = jest.requireActual<typeof CudaLibrary>(
        "../../lib/native/cuda-library",
      );
      const library = findCudaLibrary();
      expect(library.path).toBeUndefined();
      expect(missingLibrary(library)).toMatch(
        /^Expected the CUDA back end's library as .*build.Release.libgru4rec_cuda\.so or .*prebuilds.*libgru4rec_cuda\.so but found none; where nvcc is installed, `cmake -S .* -DGRU4REC_CUDA=ON && cmake --build DIR .*` makes it, and GRU4REC_CUDA_LIBRARY=DIR.libgru4rec_cuda\.so names it$/,
      );
      jest.dontMock("node:fs");
    });
  });
});

describeEmulated("with an emulated GPU", () => {
  test("it is listed with all there is to know; auto and cuda take it", async () => {
    const list = await listedWith(emulatedEnvironment());
    expect(list.auto).toBe("cuda:0");
    expect(list.devices[1]).toEqual({
      id: "cuda:0",
      usable: true,
      name: "Emulated GPU 0",
      computeCapability: "8.6",
      memory: { total: 8192 * 2 ** 20, free: expect.any(Number) as number },
    });
    expect(list.cuda).toMatchObject({ usable: true, driver: "13.0", runtime: "13.0" });
    expect(list.cuda.cublas).toEqual({ version: "13.0.2", path: EMULATED_CUBLAS });
    expect(list.cuda).not.toHaveProperty("reason");
    for (const device of ["auto", "cuda", "cuda:0"])
      expect(await trainedOn(device, emulatedEnvironment())).toMatch(/^cuda:0 \(Emulated GPU 0, cuBLAS 13\.0\.2/);
  });

  test.each<[string, Record<string, number>, RegExp]>([
    ["no driver", { DRIVER: 0 }, /^Expected an NVIDIA driver .* but found none/],
    [
      "a driver that is too old",
      { DRIVER: 12_040 },
      /driver for CUDA 13\.0 or newer .*but received one for CUDA 12\.4/,
    ],
    ["a driver and no GPU", { DEVICES: 0 }, /^Expected an NVIDIA GPU/],
    [
      "a GPU that is too old",
      { CAPABILITY: 70 },
      /^cuda:0: Expected a GPU of compute capability 7\.5 or newer .* 7\.0/,
    ],
  ])("%s: the reason says so; auto takes the CPU, cuda is that error", async (_, emulator, reason) => {
    const environment = emulatedEnvironment(emulator);
    const { auto, cuda, devices } = await listedWith(environment);
    expect(auto).toBe("cpu");
    expect(cuda).toMatchObject({ usable: false, reason: expect.stringMatching(reason) as string });
    for (const device of devices.slice(1)) {
      expect(device.usable).toBe(false);
      expect(cuda.reason).toBe(`${device.id}: ${(device as { reason: string }).reason}`);
    }
    expect(await trainedOn("auto", environment)).toMatch(/^cpu \(/);
    for (const device of ["cuda", "cuda:0"])
      expect(await trainedOn(device, environment)).toBe(`ERR_DEVICE ${cuda.reason}`);
  });

  test("two GPUs: each by its number, and no third", async () => {
    const environment = emulatedEnvironment({ DEVICES: 2 });
    expect((await listedWith(environment)).devices.map(({ id }) => id)).toEqual(["cpu", "cuda:0", "cuda:1"]);
    expect(await trainedOn("cuda:1", environment)).toMatch(/^cuda:1 \(Emulated GPU 1, /);
    expect(await trainedOn("cuda:2", environment)).toBe(
      "ERR_DEVICE Expected one of this machine's CUDA devices, cuda:0 to cuda:1, but received cuda:2",
    );
  });

  test("without cuBLAS, the reason says what was looked for and what to do; the model says what it computes with", async () => {
    const environment = { ...emulatedEnvironment(), GRU4REC_CUBLAS: "none" };
    const { cuda } = await listedWith(environment);
    expect(Object.keys(cuda.cublas!)).toEqual(["reason"]);
    expect(cuda.usable).toBe(true);
    expect(await trainedOn("cuda", environment)).toMatch(/^cuda:0 \(Emulated GPU 0, own products/);
  });

  test("without cuBLAS, training says so once unless that is wanted; a precision that takes it is an error", async () => {
    const script = `
      const data = { sessionId: [1, 1, 2, 2], itemId: [1, 2, 3, 4], time: [1, 2, 3, 4] };
      const small = { device: "cuda", nEpochs: 1, layers: [8], batchSize: 2, nSample: 4, sampleStore: 100 };
      (async () => {
        const said = [];
        const onWarning = (warning) => said.push(warning);
        const model = await gru4rec.train(data, { ...small, onWarning });
        await model.recommend([1]);
        await model.retrain(data, { onWarning });
        model.dispose();
        (await gru4rec.train(data, { ...small, onWarning, cublasPath: "none" })).dispose();
        const { code, message } = await gru4rec.train(data, { ...small, precision: "tf32" }).catch((error) => error);
        console.log(JSON.stringify({ said, reason: gru4rec.listDevices().cuda.cublas.reason, code, message }));
      })();`;
    const folders = Object.fromEntries(["HOME", "CUDA_HOME", "CUDA_PATH", "LD_LIBRARY_PATH"].map((name) => [name, ""]));
    const { code, stdout, stderr } = await runScript(script, {
      ...emulatedEnvironment(),
      GRU4REC_CUBLAS: "",
      ...folders,
    });
    expect([code, stderr]).toEqual([0, ""]);
    const outcome = JSON.parse(stdout) as { said: string[]; reason?: string; code?: string; message?: string };
    if (outcome.reason === undefined) return; // this machine has a cuBLAS
    expect(outcome.reason).toMatch(/^Expected cuBLAS but found none .* several times slower\. To get cuBLAS, install /);
    expect(outcome.said).toEqual([outcome.reason, outcome.reason]);
    expect(outcome.code).toBe("ERR_DEVICE");
    expect(outcome.message).toMatch(
      /^Expected cuBLAS on cuda:0 \(.*own products\) for precision tf32: Expected cuBLAS /,
    );
  });

  test("precision and the path of cuBLAS do not stick to the model file", async () => {
    const path = folder.path("tf32.safetensors");
    const script = `
      const assert = require("node:assert");
      const data = { sessionId: [1, 1, 2, 2], itemId: [1, 2, 3, 4], time: [1, 2, 3, 4] };
      const cublasPath = process.env.GRU4REC_CUBLAS;
      const how = { device: "cuda", precision: "tf32", cublasPath };
      (async () => {
        const small = { nEpochs: 1, layers: [8], batchSize: 2, nSample: 4, sampleStore: 100 };
        const model = await gru4rec.train(data, { ...small, ...how });
        await model.save(${JSON.stringify(path)});
        model.dispose();
        assert.ok(!require("node:fs").readFileSync(${JSON.stringify(path)}).includes("cublas"));
        const onCpu = await gru4rec.Gru4Rec.load(${JSON.stringify(path)}, { device: "cpu" });
        assert.equal(onCpu.config.precision, "auto");
        await onCpu.retrain(data);
        onCpu.dispose();
        const onGpu = await gru4rec.Gru4Rec.load(${JSON.stringify(path)}, how);
        assert.equal(onGpu.config.precision, "tf32");
        await onGpu.retrain(data);
        onGpu.dispose();
      })().then(() => console.log("finished"));`;
    const outcome = await runScript(script, emulatedEnvironment());
    expect(outcome).toMatchObject({ code: 0, stdout: "finished\n", stderr: "" });
  });

  test("gru4rec devices prints them, and JSON for machines", async () => {
    const environment = emulatedEnvironment({ DEVICES: 2, DRIVER: 13_020 });
    const { code, stdout, stderr } = await runNode([CLI, "devices"], undefined, "", environment);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^cpu {5}(avx512|avx2|portable), \d+ threads?, /m);
    expect(stdout).toMatch(/^cuda:1 {2}Emulated GPU 1, compute capability 8\.6, \d\.\d of 8\.6 GB free, usable$/m);
    expect(stdout).toMatch(/^auto {4}takes cuda:0\n\nCUDA {5}usable\n/m);
    expect(stdout).toMatch(/^driver {3}knows CUDA 13\.2$/m);
    expect(stdout).toMatch(/^cuBLAS {3}13\.0\.2 in .*libcublas\.so\.13$/m);
    const json = await runNode([CLI, "devices", "--json"], undefined, "", environment);
    expect(JSON.parse(json.stdout)).toMatchObject({ auto: "cuda:0", devices: [{ id: "cpu" }, { id: "cuda:0" }, {}] });
  });
});

describeReal("the library for real GPUs", () => {
  test("is listed with its versions; a machine without a driver says so and crashes nowhere", async () => {
    const environment = { GRU4REC_CUDA_LIBRARY: REAL_LIBRARY };
    const { cuda, auto } = await listedWith(environment);
    expect(cuda).toMatchObject({ library: REAL_LIBRARY, runtime: expect.stringMatching(/^\d+\.\d+$/) as string });
    expect(auto).toMatch(cuda.usable ? /^cuda:\d+$/ : /^cpu$/);
    expect(await trainedOn("auto", environment)).toMatch(cuda.usable ? /^cuda:/ : /^cpu \(/);
    if (cuda.driver === undefined) {
      expect(cuda.reason).toMatch(/^Expected an NVIDIA driver \(libcuda\.so\.1\) but found none/);
      expect(await trainedOn("cuda", environment)).toBe(`ERR_DEVICE ${cuda.reason}`);
    }
  });
});
