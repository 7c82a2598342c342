#include "engine/memory_need.h"
#include "gpu_check/network.h"
#include "gpu_check/stage.h"

/// What goes wrong is told: too little memory, devices and libraries that are not there. Afterwards everything works.
namespace gru4rec::gpu_check {

namespace {

const char* name(ErrorCode code) {
  switch (code) {
    case ErrorCode::argument:
      return "argument";
    case ErrorCode::config:
      return "config";
    case ErrorCode::data:
      return "data";
    case ErrorCode::file:
      return "file";
    case ErrorCode::device:
      return "device";
    case ErrorCode::out_of_memory:
      return "out_of_memory";
    case ErrorCode::aborted:
      return "aborted";
    default:
      return "not_finite";
  }
}

/// `work` throws an Error of this code, with a message that begins as messages do.
template <class Work>
void expect_error(Report& report, const std::string& what, ErrorCode code, const Work& work) {
  report.count(1);
  std::string received = "none";
  try {
    work();
  } catch (const Error& error) {
    const std::string message = error.what();
    report.data[what] = message;
    report.line("%s: %s", what.c_str(), message.c_str());
    if (error.code() == code && message.rfind("Expected ", 0) == 0) return;
    received = std::string(name(error.code())) + ": " + message;
  }
  report.fail(what + ": expected the error " + name(code) + " with a message \"Expected …\", received " + received);
}

ModelSpec model_of(int64_t items, int64_t hidden) {
  ModelSpec model;
  model.items = items;
  model.layers = {hidden};
  model.final_act.kind = ActivationKind::softmax;
  return model;
}

}  // namespace

void check_errors(const Options& options, Report& report) {
  const std::unique_ptr<Backend> backend = create_backend(options.device);
  const DeviceMemory memory = backend->memory();
  constexpr int64_t kWide = 4096;
  // Half as much again as the device has.
  const ModelSpec huge = model_of(memory.total / (kWide * 4) * 3 / 2, kWide);
  TrainingSpec training;
  training.loss.final_act = huge.final_act;

  expect_error(report, "a model that is too large", ErrorCode::out_of_memory,
               [&] { const Parameters parameters(*backend, huge); });
  expect_error(report, "a training that is too large, before it begins", ErrorCode::out_of_memory, [&] {
    const std::unique_ptr<MemoryMeter> meter = create_memory_meter(options.device);
    expect_room(measure_training(*meter, huge, training), *backend);
  });
  const auto with = [&](auto change) {
    DeviceOptions changed = options.device;
    change(changed);
    return changed;
  };
  expect_error(report, "a device that is not here", ErrorCode::device,
               [&] { create_backend(with([](DeviceOptions& d) { d.device = "cuda:99"; })); });
  expect_error(report, "a device that is none", ErrorCode::device,
               [&] { create_backend(with([](DeviceOptions& d) { d.device = "cuda:first"; })); });
  expect_error(report, "a library that is not here", ErrorCode::device,
               [&] { create_backend(with([](DeviceOptions& d) { d.cuda_library = "/nowhere/libgru4rec_cuda.so"; })); });
  expect_error(report, "a cuBLAS that is not here", ErrorCode::device,
               [&] { create_backend(with([](DeviceOptions& d) { d.cublas_path = "/nowhere/libcublas.so"; })); });

  const Clicks clicks = random_clicks(40, 6, 50, 5);
  Network network(model_of(clicks.items, 16), options.device);
  training.batch = 8;
  training.samples = 20;
  const Progress progress = Training(network, training, clicks).epoch();
  report.expect(progress.steps > 0, "expected training to work after the errors, received no step");
}

}  // namespace gru4rec::gpu_check
