import { parseConfig, type DeviceName } from "../config";
import type { NativeCuda, NativeDevice } from "./addon";
import { callNative } from "./call";
import { findCudaLibrary, missingLibrary } from "./cuda-library";
import { deviceOptions } from "./device-options";
import { loadAddon } from "./load";

/** Memory in bytes; 0 where the system does not say. */
export interface DeviceMemory {
  /** All of it; of the CPU what the limit of the process's group allows. */
  readonly total: number;
  /** What is free now. */
  readonly free: number;
}

/** The processor. */
export interface CpuDevice {
  /** As the option `device` takes it. */
  readonly id: "cpu";
  /** Always true. */
  readonly usable: true;
  /** Memory of the machine. */
  readonly memory: DeviceMemory;
  /** Threads that are used unless `threads` says otherwise. */
  readonly threads: number;
  /** `avx512`, `avx2` or `portable`. */
  readonly instructionSet: string;
}

/** A GPU of NVIDIA. */
export interface CudaDevice {
  /** As the option `device` takes it. */
  readonly id: `cuda:${number}`;
  /** Whether it can be computed on. */
  readonly usable: boolean;
  /** Why it is not usable. */
  readonly reason?: string;
  /** Memory of the GPU. */
  readonly memory: DeviceMemory;
  /** Such as `NVIDIA H100 80GB HBM3`. */
  readonly name: string;
  /** Such as `9.0`. */
  readonly computeCapability: string;
}

/** Where the products of matrices of a GPU come from. */
export interface CublasInfo {
  /** Such as `13.0.2`; absent where cuBLAS was not found, and the package's own, slower products are used. */
  readonly version?: string;
  /** Where it was found. */
  readonly path?: string;
  /** What was looked for, and what to do. */
  readonly reason?: string;
}

/** What GPUs need besides themselves. */
export interface CudaInfo {
  /** Whether one of the GPUs can be used. */
  readonly usable: boolean;
  /** Why none can be used: no library, no driver, one that is too old, no GPU, or none that is new enough. */
  readonly reason?: string;
  /** Path of the CUDA back end's library, libgru4rec_cuda.so. */
  readonly library?: string;
  /** The newest CUDA that the driver knows, such as `13.0`; absent without a driver. */
  readonly driver?: string;
  /** The CUDA that the library was built with. */
  readonly runtime?: string;
  /** The library that multiplies matrices; absent without the CUDA back end's library. */
  readonly cublas?: CublasInfo;
}

/** What there is to compute on. */
export interface DeviceList {
  /** The CPU, then the GPUs. */
  readonly devices: readonly [CpuDevice, ...CudaDevice[]];
  /** The device that `device: "auto"` takes: the first GPU that is usable, else the CPU. */
  readonly auto: Exclude<DeviceName, "auto" | "cuda">;
  /** What GPUs need, and why they are not usable. */
  readonly cuda: CudaInfo;
}

/** 13000 is 13.0. */
function cudaVersion(version: number): string {
  return `${Math.floor(version / 1000)}.${Math.floor((version % 1000) / 10)}`;
}

/** 130002 is 13.0.2, 120804 is 12.8.4. */
function cublasVersion(version: number): string {
  return [Math.floor(version / 10_000), Math.floor((version % 10_000) / 100), version % 100].join(".");
}

function cudaDevice({ id, name, total, free, capabilityMajor, capabilityMinor, problem }: NativeDevice): CudaDevice {
  return {
    id: id as CudaDevice["id"],
    usable: problem === "",
    ...(problem !== "" && { reason: problem }),
    memory: { total, free },
    name,
    computeCapability: `${capabilityMajor}.${capabilityMinor}`,
  };
}

function cublasInfo({ cublasVersion: version, cublasPath, cublasProblem }: NativeCuda): CublasInfo {
  return version > 0 ? { version: cublasVersion(version), path: cublasPath } : { reason: cublasProblem };
}

/**
 * Lists the devices of this machine, and says of each that cannot be used why. The first call loads the CUDA back end's
 * library and cuBLAS and asks each GPU for its memory, which opens a CUDA context on it: that may take a second, in which
 * nothing else runs, and some of the GPU's memory for as long as the process lives.
 * @param options.cublasPath - As the hyperparameter of that name.
 */
export function listDevices(options: { readonly cublasPath?: string | undefined } = {}): DeviceList {
  const place = parseConfig({ cublasPath: options.cublasPath }).config;
  const library = findCudaLibrary();
  const { devices, cuda, automatic } = callNative(() =>
    loadAddon().listDevices(deviceOptions({ ...place, device: "cpu" })),
  );
  const [cpu, ...gpus] = devices;
  const { total, free, threads, name } = cpu!;
  const reason = library.path === undefined ? missingLibrary(library) : cuda.problem;
  return {
    devices: [
      { id: "cpu", usable: true, memory: { total, free }, threads, instructionSet: name },
      ...gpus.map(cudaDevice),
    ],
    auto: automatic as DeviceList["auto"],
    cuda: {
      usable: reason === "",
      ...(reason !== "" && { reason }),
      ...(library.path !== undefined && { library: library.path }),
      ...(cuda.driverVersion > 0 && { driver: cudaVersion(cuda.driverVersion) }),
      ...(cuda.runtimeVersion > 0 && { runtime: cudaVersion(cuda.runtimeVersion) }),
      ...(library.path !== undefined && { cublas: cublasInfo(cuda) }),
    },
  };
}
