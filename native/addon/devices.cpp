#include "addon/devices.h"

#include <string>

#include "addon/arguments.h"
#include "addon/job_queue.h"
#include "backend/registry.h"
#include "engine/memory_need.h"

namespace gru4rec::addon {

namespace {

Napi::Value bytes(Napi::Env env, int64_t value) { return Napi::Number::New(env, static_cast<double>(value)); }

Napi::Object to_object(Napi::Env env, const DeviceDescription& device) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("id", device.id);
  object.Set("name", device.name);
  object.Set("total", bytes(env, device.memory.total));
  object.Set("free", bytes(env, device.memory.free));
  object.Set("threads", device.threads);
  object.Set("capabilityMajor", device.capability_major);
  object.Set("capabilityMinor", device.capability_minor);
  object.Set("problem", device.problem);
  return object;
}

Napi::Object to_object(Napi::Env env, const CudaDescription& cuda) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("driverVersion", cuda.driver_version);
  object.Set("runtimeVersion", cuda.runtime_version);
  object.Set("problem", cuda.problem);
  object.Set("cublasVersion", cuda.cublas_version);
  object.Set("cublasPath", cuda.cublas_path);
  object.Set("cublasProblem", cuda.cublas_problem);
  return object;
}

}  // namespace

Napi::Value list_devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const DeviceOptions options = read_device_options(info[0]);
  return guarded(env, [&]() -> Napi::Value {
    const DeviceList list = gru4rec::list_devices(options);
    Napi::Array devices = Napi::Array::New(env, list.devices.size());
    for (size_t i = 0; i < list.devices.size(); ++i)
      devices.Set(static_cast<uint32_t>(i), to_object(env, list.devices[i]));
    Napi::Object object = Napi::Object::New(env);
    object.Set("devices", devices);
    object.Set("cuda", to_object(env, list.cuda));
    object.Set("automatic", list.automatic);
    return object;
  });
}

Napi::Value estimate_memory(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ModelSpec model = read_model_spec(info[0]);
  const TrainingSpec training = read_training_spec(info[1], model);
  DeviceOptions options = read_device_options(info[2]);
  return guarded(env, [&]() -> Napi::Value {
    if (options.device == "auto") options.device = choose_device(options);
    const std::unique_ptr<MemoryMeter> meter = create_memory_meter(options);
    const MemoryNeed need = measure_training(*meter, model, training);
    Napi::Object object = Napi::Object::New(env);
    object.Set("device", options.device);
    object.Set("tables", bytes(env, need.tables));
    object.Set("optimiserState", bytes(env, need.optimiser_state));
    object.Set("batchBuffers", bytes(env, need.batch_buffers));
    object.Set("sampleStore", bytes(env, need.sample_store));
    object.Set("workspace", bytes(env, need.workspace));
    object.Set("staging", bytes(env, meter->host_bytes()));
    return object;
  });
}

}  // namespace gru4rec::addon
