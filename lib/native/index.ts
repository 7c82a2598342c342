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
export { loadAddon } from "./load";
export { packageVersion } from "./package";
