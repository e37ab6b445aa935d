#include "adapters/webrtc/gst/loop.h"

#include <glib-unix.h>
#include <glib.h>
#include <unistd.h>

#include <deque>
#include <mutex>

#include "core/base/time.h"
#include "ipc/boot_clock.h"

namespace hansard::webrtc {
namespace {

GMainLoop* g_loop = nullptr;
int g_exit_code = 0;
std::mutex g_posted_mutex;
std::deque<std::function<void()>> g_posted;

gboolean run_posted(gpointer) {
  std::deque<std::function<void()>> tasks;
  {
    const std::lock_guard lock(g_posted_mutex);
    tasks.swap(g_posted);
  }
  for (auto& task : tasks) task();
  return G_SOURCE_REMOVE;
}

struct Task {
  std::function<void()> run;
  bool repeat = false;
};
void delete_task(gpointer data) { delete static_cast<Task*>(data); }
gboolean run_task(gpointer data) {
  auto* task = static_cast<Task*>(data);
  const bool repeat = task->repeat;
  task->run();
  return repeat ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}
gboolean run_fd_task(gint, GIOCondition, gpointer data) { return run_task(data); }

}  // namespace

int run_loop() {
  g_loop = g_main_loop_new(nullptr, FALSE);
  g_main_loop_run(g_loop);
  g_main_loop_unref(g_loop);
  g_loop = nullptr;
  return g_exit_code;
}

void quit_loop(int exit_code) {
  g_exit_code = exit_code;
  if (g_loop != nullptr) g_main_loop_quit(g_loop);
}

void post(std::function<void()> task) {
  const std::lock_guard lock(g_posted_mutex);
  g_posted.push_back(std::move(task));
  if (g_posted.size() == 1) g_idle_add_full(G_PRIORITY_DEFAULT, run_posted, nullptr, nullptr);
}

std::int64_t monotonic_us() { return ipc::boot_clock_us(); }
std::int64_t unix_ms() { return g_get_real_time() / 1000; }

Timer Timer::every(unsigned ms, std::function<void()> task) {
  Timer t;
  t.id_ = g_timeout_add_full(G_PRIORITY_DEFAULT, ms, run_task, new Task{std::move(task), true}, delete_task);
  return t;
}

Timer Timer::after(unsigned ms, std::function<void()> task) {
  Timer t;
  t.id_ = g_timeout_add_full(G_PRIORITY_DEFAULT, ms, run_task, new Task{std::move(task), false}, delete_task);
  return t;
}

void Timer::cancel() {
  // A timer that has run is gone already; removing it again would be an error of GLib's.
  if (id_ != 0 && g_main_context_find_source_by_id(nullptr, id_) != nullptr) g_source_remove(id_);
  id_ = 0;
}

FdWatch::FdWatch(int fd, std::function<void()> readable) : fd_(fd) {
  read_id_ = g_unix_fd_add_full(G_PRIORITY_DEFAULT, fd, static_cast<GIOCondition>(G_IO_IN | G_IO_HUP | G_IO_ERR), run_fd_task,
                                new Task{std::move(readable), true}, delete_task);
}

FdWatch::~FdWatch() {
  for (const unsigned id : {read_id_, write_id_}) {
    if (id != 0 && g_main_context_find_source_by_id(nullptr, id) != nullptr) g_source_remove(id);
  }
}

void FdWatch::when_writable(std::function<void()> writable) {
  if (write_id_ != 0) return;
  auto once = [this, writable = std::move(writable)] {
    write_id_ = 0;
    writable();
  };
  write_id_ = g_unix_fd_add_full(G_PRIORITY_DEFAULT, fd_, G_IO_OUT, run_fd_task, new Task{std::move(once), false}, delete_task);
}

void log_line(std::string_view level, std::string_view event, std::initializer_list<std::pair<std::string_view, Json>> fields) {
  Json line = Json::object();
  line.set("ts", format_rfc3339({unix_ms()})).set("level", level).set("part", "media").set("event", event);
  for (const auto& [key, value] : fields) line.set(key, value);
  const std::string text = line.dump() + "\n";
  // One write a line, so that lines of several processes do not mix.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace hansard::webrtc
