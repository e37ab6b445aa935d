#include "host/calendar_files.h"

#include <gtest/gtest.h>

namespace hansard::host {
namespace {

/// A folder "/cal" in memory.
class Folder final : public Files {
 public:
  std::map<std::string, std::string> files;
  std::string locked;

  Result<std::string> write(const std::string&, const std::string&) override { return fail(ErrorClass::kDenied, "files", "no"); }
  Result<std::string> read(const std::string& path, std::size_t max_bytes) override {
    const auto it = files.find(path.substr(path.rfind('/') + 1));
    if (it == files.end()) return fail(ErrorClass::kNotFound, "files", "not there");
    if (it->first == locked) return fail(ErrorClass::kDenied, "files", "locked");
    if (it->second.size() > max_bytes) return fail(ErrorClass::kExhausted, "files", "too large");
    return it->second;
  }
  Result<std::vector<std::string>> list(const std::string& folder, std::string_view suffix, std::size_t max_files) override {
    if (folder != "/cal")
      return fail(files.contains(folder.substr(1)) ? ErrorClass::kConflict : ErrorClass::kNotFound, "files", "no");
    std::vector<std::string> out;
    for (const auto& [name, bytes] : files) {
      if (name.ends_with(suffix)) out.push_back(name);
    }
    if (out.size() > max_files) return fail(ErrorClass::kExhausted, "files", "too many");
    return out;
  }
  Result<std::uint64_t> free_bytes() override { return 0; }
};

std::string event(const std::string& uid) {
  return "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:" + uid + "\nDTSTART:20250101T100000Z\nEND:VEVENT\nEND:VCALENDAR\n";
}

std::string uids(const CalendarFiles& files, const std::string& path) {
  std::string out;
  for (const calendar::Calendar* c : files.documents(path)) {
    for (const auto& e : c->events) out += e.uid;
  }
  return out;
}

TEST(CalendarFiles, AFolderIsItsFilesAndABrokenOneHidesNoOther) {
  Folder folder;
  folder.files = {{"b.ics", event("b")}, {"a.ics", event("a")}, {"x.txt", "x"}, {"bad.ics", "<html>"}};
  CalendarFiles files(folder);
  ASSERT_TRUE(files.read("/cal"));
  EXPECT_EQ(uids(files, "/cal"), "ab");
  ASSERT_EQ(files.notes("/cal").size(), 1u);
  EXPECT_NE(files.notes("/cal")[0].find("bad.ics was left out"), std::string::npos);

  folder.files["a.ics"] = "BEG";  // half written
  folder.locked = "b.ics";
  folder.files.erase("bad.ics");
  ASSERT_TRUE(files.read("/cal"));
  EXPECT_EQ(uids(files, "/cal"), "ab");
  EXPECT_EQ(files.notes("/cal").size(), 2u);

  folder.files["a.ics"] = event("a2");
  folder.files.erase("b.ics");
  ASSERT_TRUE(files.read("/cal"));
  EXPECT_EQ(uids(files, "/cal"), "a2");
  EXPECT_TRUE(files.notes("/cal").empty());
}

TEST(CalendarFiles, AnErrorOfOneFileIsTheCalendars) {
  Folder folder;
  folder.files = {{"a.ics", event("a")}};
  CalendarFiles files(folder);
  ASSERT_TRUE(files.read("/a.ics"));
  EXPECT_EQ(uids(files, "/a.ics"), "a");
  folder.files["a.ics"] = "nothing";
  EXPECT_EQ(files.read("/a.ics").error().code, ErrorClass::kInvalid);
  EXPECT_EQ(files.read("/none").error().code, ErrorClass::kNotFound);
}

TEST(CalendarFiles, AFolderIsBounded) {
  Folder folder;
  for (int i = 0; i < 3; ++i) folder.files[std::to_string(i) + ".ics"] = event("e") + std::string(30u << 20, ' ');
  CalendarFiles files(folder);
  ASSERT_TRUE(files.read("/cal"));
  EXPECT_EQ(uids(files, "/cal"), "ee");
  EXPECT_EQ(files.notes("/cal").size(), 1u);
  for (int i = 0; i < 5'001; ++i) folder.files["n" + std::to_string(i) + ".ics"];
  EXPECT_EQ(files.read("/cal").error().code, ErrorClass::kExhausted);
}

}  // namespace
}  // namespace hansard::host
