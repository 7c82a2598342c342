export type {
  NativeAddon,
  NativeModel,
  NativeProgress,
  NativeRecommendations,
  NativeRecommendRequest,
  NativeSlots,
  NativeSnapshot,
  NativeTensor,
  NativeTies,
  NativeTrainingSpec,
} from "./addon";
export { callNative, runNative } from "./call";
export { createModel, trainingSpec } from "./create-model";
export { missingCublas } from "./cublas";
export { estimateMemory, type MemoryEstimate, type MemoryEstimateOptions } from "./estimate-memory";
export {
  listDevices,
  type CpuDevice,
  type CublasInfo,
  type CudaDevice,
  type CudaInfo,
  type DeviceList,
  type DeviceMemory,
} from "./list-devices";
export { loadAddon } from "./load";
export { packageVersion } from "./package";
