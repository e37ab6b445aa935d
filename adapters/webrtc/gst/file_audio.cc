#include "adapters/webrtc/gst/file_audio.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "core/base/text.h"

namespace hansard::webrtc {
namespace {

class GstFileAudio final : public FileAudio {
 public:
  ~GstFileAudio() override {
    if (pipeline_ == nullptr) return;
    gst_element_set_state(pipeline_, GST_STATE_NULL);
    if (first_ != nullptr) gst_sample_unref(first_);
    gst_object_unref(bus_);
    gst_object_unref(pipeline_);
  }

  Result<void> open(const std::string& path, int rate) {
    name_ = path;
    if (auto r = check_file(path); !r) return r;
    pipeline_ = gst_pipeline_new(nullptr);
    bus_ = gst_element_get_bus(pipeline_);
    GstElement* source = gst_element_factory_make("filesrc", nullptr);
    GstElement* decoder = gst_element_factory_make("decodebin", nullptr);
    GstElement* convert = gst_element_factory_make("audioconvert", nullptr);
    GstElement* resample = gst_element_factory_make("audioresample", nullptr);
    sink_ = gst_element_factory_make("appsink", nullptr);
    if (source == nullptr || decoder == nullptr || convert == nullptr || resample == nullptr || sink_ == nullptr) {
      return fail(ErrorClass::kInternal, "media", "GStreamer lacks decodebin; install the package gstreamer1.0-plugins-base");
    }
    GstCaps* caps = gst_caps_new_simple("audio/x-raw", "format", G_TYPE_STRING, "S16LE", "layout", G_TYPE_STRING, "interleaved",
                                        "channels", G_TYPE_INT, 1, "rate", G_TYPE_INT, rate, nullptr);
    g_object_set(sink_, "caps", caps, "sync", FALSE, "max-buffers", 16u, nullptr);
    gst_caps_unref(caps);
    g_object_set(source, "location", path.c_str(), nullptr);
    gst_bin_add_many(GST_BIN(pipeline_), source, decoder, convert, resample, sink_, nullptr);
    gst_element_link(source, decoder);
    gst_element_link_many(convert, resample, sink_, nullptr);
    entry_ = gst_element_get_static_pad(convert, "sink");
    g_signal_connect(decoder, "pad-added", G_CALLBACK(&GstFileAudio::on_pad), this);
    g_signal_connect(decoder, "no-more-pads", G_CALLBACK(&GstFileAudio::on_no_more_pads), this);
    gst_element_set_state(pipeline_, GST_STATE_PLAYING);
    return preroll();
  }

  Result<std::vector<std::int16_t>> read() override {
    std::vector<std::int16_t> out;
    while (out.empty()) {
      GstSample* sample = first_ != nullptr ? std::exchange(first_, nullptr)
                                            : gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), 100 * GST_MSECOND);
      if (sample == nullptr) {
        if (auto r = poll_error(); !r) return pass(r);
        if (gst_app_sink_is_eos(GST_APP_SINK(sink_)) != FALSE) return out;
        continue;
      }
      GstBuffer* buffer = gst_sample_get_buffer(sample);
      GstMapInfo map;
      if (buffer != nullptr && gst_buffer_map(buffer, &map, GST_MAP_READ)) {
        out.resize(map.size / 2);
        if (!out.empty()) std::memcpy(out.data(), map.data, out.size() * 2);
        gst_buffer_unmap(buffer, &map);
      }
      gst_sample_unref(sample);
    }
    return out;
  }

  Duration duration() const override {
    gint64 ns = 0;
    return {gst_element_query_duration(pipeline_, GST_FORMAT_TIME, &ns) != FALSE ? ns / 1'000'000 : 0};
  }

 private:
  static Result<void> check_file(const std::string& path) {
    struct stat info = {};
    if (::stat(path.c_str(), &info) != 0) {
      const bool missing = errno == ENOENT || errno == ENOTDIR;
      return fail(missing ? ErrorClass::kNotFound : ErrorClass::kDenied, "media",
                  path + ": " + (missing ? "no such file" : std::strerror(errno)));
    }
    if (S_ISDIR(info.st_mode)) return fail(ErrorClass::kInvalid, "media", path + " is a folder; give an audio or video file");
    if (S_ISREG(info.st_mode) && info.st_size == 0) return fail(ErrorClass::kInvalid, "media", path + " is empty");
    if (!std::ifstream(path)) return fail(ErrorClass::kDenied, "media", path + " cannot be read: " + std::strerror(errno));
    return {};
  }

  // Waits for the first audio, the end, or the error that says why there is none.
  Result<void> preroll() {
    while (true) {
      first_ = gst_app_sink_try_pull_sample(GST_APP_SINK(sink_), 50 * GST_MSECOND);
      if (first_ != nullptr) return {};
      if (auto r = poll_error(); !r) return r;
      if (no_audio_ && !linked_) return fail(ErrorClass::kInvalid, "media", name_ + " has no audio track");
      if (gst_app_sink_is_eos(GST_APP_SINK(sink_)) != FALSE) return {};
    }
  }

  Result<void> poll_error() {
    GstMessage* message = gst_bus_pop_filtered(bus_, GST_MESSAGE_ERROR);
    if (message == nullptr) return {};
    GError* error = nullptr;
    gst_message_parse_error(message, &error, nullptr);
    std::string why = name_ + " is no audio or video file that can be decoded";
    if (error != nullptr && linked_) why = name_ + " is damaged: " + sanitize_utf8(error->message);
    if (error != nullptr && error->domain == GST_CORE_ERROR && error->code == GST_CORE_ERROR_MISSING_PLUGIN && !linked_) {
      why = name_ + " is no audio or video file, or needs a decoder that is not installed (gstreamer1.0-libav)";
    }
    if (!linked_ && video_) why = name_ + " has no audio track";
    g_clear_error(&error);
    gst_message_unref(message);
    return fail(ErrorClass::kInvalid, "media", why);
  }

  static void on_pad(GstElement*, GstPad* pad, gpointer data) {
    auto* self = static_cast<GstFileAudio*>(data);
    GstCaps* caps = gst_pad_get_current_caps(pad);
    if (caps == nullptr) caps = gst_pad_query_caps(pad, nullptr);
    const gchar* type = gst_caps_get_size(caps) > 0 ? gst_structure_get_name(gst_caps_get_structure(caps, 0)) : "";
    if (g_str_has_prefix(type, "audio/x-raw") && !self->linked_) {
      self->linked_ = gst_pad_link(pad, self->entry_) == GST_PAD_LINK_OK;
    } else {
      // Pictures and further tracks must flow somewhere, or the file would stop.
      if (g_str_has_prefix(type, "video/")) self->video_ = true;
      GstElement* drain = gst_element_factory_make("fakesink", nullptr);
      g_object_set(drain, "sync", FALSE, "async", FALSE, nullptr);
      gst_bin_add(GST_BIN(self->pipeline_), drain);
      gst_element_sync_state_with_parent(drain);
      GstPad* in = gst_element_get_static_pad(drain, "sink");
      gst_pad_link(pad, in);
      gst_object_unref(in);
    }
    gst_caps_unref(caps);
  }
  static void on_no_more_pads(GstElement*, gpointer data) { static_cast<GstFileAudio*>(data)->no_audio_ = true; }

  std::string name_;
  GstElement* pipeline_ = nullptr;
  GstElement* sink_ = nullptr;
  GstPad* entry_ = nullptr;
  GstBus* bus_ = nullptr;
  GstSample* first_ = nullptr;
  std::atomic<bool> linked_{false};
  std::atomic<bool> video_{false};
  std::atomic<bool> no_audio_{false};
};

}  // namespace

Result<std::unique_ptr<FileAudio>> FileAudio::open(const std::string& path, int rate) {
  auto file = std::make_unique<GstFileAudio>();
  if (auto r = file->open(path, rate); !r) return pass(r);
  return file;
}

}  // namespace hansard::webrtc
