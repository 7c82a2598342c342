export { checkPath } from "./check-path";
export { checkNoOthers, checkTensors, type ExpectedTensor } from "./check-tensors";
export { checkWritable, replaceFile } from "./replace-file";
export { replaceFiles, type NewFile } from "./replace-files";
export {
  FormatError,
  SafetensorsFile,
  writeSafetensors,
  writeSafetensorsTo,
  type Dtype,
  type TensorInfo,
  type TensorValues,
  type WritableTensor,
} from "./safetensors";
export { withSafetensors } from "./with-safetensors";
