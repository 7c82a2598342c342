#include "gpu_check/process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "gpu_check/timing.h"

namespace gru4rec::gpu_check {

namespace {

constexpr int kSignalled = 128;

/// Reads the pipe until it is closed or the time is over; then ends the process group and waits for its leader.
Ended collect(pid_t child, int pipe, double seconds) {
  const Clock clock;
  Ended ended;
  char buffer[4096];
  for (;;) {
    const double left = seconds - clock.seconds();
    pollfd readable{pipe, POLLIN, 0};
    const int ready = left > 0.0 ? poll(&readable, 1, static_cast<int>(left * 1e3) + 1) : 0;
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      ended.timed_out = true;
      break;
    }
    const ssize_t count = read(pipe, buffer, sizeof buffer);
    if (count <= 0) break;
    ended.output.append(buffer, static_cast<size_t>(count));
  }
  close(pipe);
  if (ended.timed_out) kill(-child, SIGKILL);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  ended.status = WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
  return ended;
}

struct Pipe {
  int read = -1, write = -1;
  Pipe() {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error(std::string("Expected a pipe but received ") + std::strerror(errno));
    read = ends[0];
    write = ends[1];
    fcntl(read, F_SETFD, FD_CLOEXEC);
  }
};

/// A child in a process group of its own, so that it can be killed with its children.
pid_t fork_child() {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) throw std::runtime_error(std::string("Expected a process but received ") + std::strerror(errno));
  setpgid(child, 0);                                 // in both: whoever comes first
  if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);  // a GPU must not go on working for nobody
  return child;
}

}  // namespace

std::string Ended::how() const {
  if (timed_out) return "no end within its time";
  return status > kSignalled ? "signal " + std::to_string(status - kSignalled) : "status " + std::to_string(status);
}

Ended run_command(const std::vector<std::string>& command, const std::string& folder, double seconds) {
  const Pipe pipe;
  const pid_t child = fork_child();
  if (child == 0) {
    std::vector<char*> arguments;
    for (const std::string& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    dup2(pipe.write, STDOUT_FILENO);
    dup2(pipe.write, STDERR_FILENO);
    close(pipe.write);
    constexpr int kNotFound = 127;
    if (!folder.empty() && chdir(folder.c_str()) != 0) {
      std::fprintf(stderr, "%s: %s\n", folder.c_str(), std::strerror(errno));
      _exit(kNotFound);
    }
    execvp(arguments[0], arguments.data());
    std::fprintf(stderr, "%s: %s\n", arguments[0], std::strerror(errno));
    _exit(kNotFound);
  }
  close(pipe.write);
  return collect(child, pipe.read, seconds);
}

Ended run_child(void (*body)(int pipe, const void* argument), const void* argument, double seconds) {
  const Pipe pipe;
  const pid_t child = fork_child();
  if (child == 0) {
    close(pipe.read);
    fcntl(pipe.write, F_SETFD, FD_CLOEXEC);  // its own children do not hold it open
    body(pipe.write, argument);
    std::exit(0);
  }
  close(pipe.write);
  return collect(child, pipe.read, seconds);
}

std::string find_program(const std::string& name, const std::vector<std::string>& folders) {
  std::vector<std::string> places;
  const char* path = std::getenv("PATH");
  std::istringstream list(path != nullptr ? path : "");
  for (std::string folder; std::getline(list, folder, ':');) places.push_back(folder);
  places.insert(places.end(), folders.begin(), folders.end());
  for (const std::string& folder : places) {
    const std::string file = folder + "/" + name;
    if (!folder.empty() && access(file.c_str(), X_OK) == 0) return file;
  }
  return "";
}

std::string tail(const std::string& text, size_t characters) {
  const size_t end = text.find_last_not_of(" \n\r\t") + 1;
  if (end <= characters) return text.substr(0, end);
  const size_t line = text.find('\n', end - characters);
  return line < end ? text.substr(line + 1, end - line - 1) : text.substr(end - characters, characters);
}

TemporaryFolder::TemporaryFolder() {
  path_ = (std::filesystem::temp_directory_path() / "gru4rec-check-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr)
    throw std::runtime_error("Expected a temporary folder " + path_ + " but received " + std::strerror(errno));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace gru4rec::gpu_check
