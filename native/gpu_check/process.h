#pragma once

#include <string>
#include <vector>

namespace gru4rec::gpu_check {

/// How a process ended.
struct Ended {
  int status = 0;          ///< exit status; 128 + its number where a signal ended it
  bool timed_out = false;  ///< it was killed
  std::string output;      ///< what it wrote to the pipe

  /// "status 3", "signal 11", "no end within its time"
  std::string how() const;
};

/// Runs a command without a shell; its standard output and error are the output.
/// @param folder  where it runs; empty = here
/// @param seconds  after which it and its children are killed
Ended run_command(const std::vector<std::string>& command, const std::string& folder, double seconds);

/// Forks a child that runs `body`, which writes to the file descriptor that it is given, and ends. Nothing that a child
/// does to its device reaches this process.
Ended run_child(void (*body)(int pipe, const void* argument), const void* argument, double seconds);

/// The program of this name on PATH or in one of `folders`; empty = there is none.
std::string find_program(const std::string& name, const std::vector<std::string>& folders);

/// The last `characters` of a text, from the start of a line on.
std::string tail(const std::string& text, size_t characters);

/// A new folder for temporary files; it is removed with what is in it when this goes.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace gru4rec::gpu_check
