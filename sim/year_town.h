#pragma once
// What the five people do in a year: they make meetings and change their minds. Drawn from the seed alone, so that what the
// daemon does has no influence on it.
#include <functional>

#include "sim/world.h"
#include "sim/year.h"
#include "sim/year_people.h"

namespace hansard::sim {

class Town {
 public:
  Town(World& world, const YearOptions& options, YearCounts& counts);
  /// Arranges the whole year.
  void begin(Instant start);

  const PersonCalendar& calendar(std::size_t person) const { return calendars_[person]; }
  /// What really takes place in [from, to): cancelled ones are left out.
  std::vector<Happening> truth(Instant from, Instant to) const;
  /// True for a link that some calendar has ever shown.
  bool known_link(std::size_t link) const { return link > 0 && link < next_link_; }

  /// Somebody asks for a scan of this person's calendar.
  std::function<void(std::size_t person)> on_push;

 private:
  void day(std::int64_t day);
  Item fresh();
  void add_single();
  void add_late();
  void add_series(std::int64_t first_day);
  void add(Item item);
  void change();
  void change_item(Item& item, YearEvent kind);
  void change_instance(Item& item, const Happening& h, YearEvent kind);
  bool move(Item& item, const Happening& h);
  void recreate(std::size_t number);
  bool copy(std::size_t person, std::size_t number);
  void spread(std::size_t number, std::optional<std::size_t> also = std::nullopt);
  std::string title();

  World& world_;
  const YearOptions& options_;
  YearCounts& counts_;
  Prng rng_;
  PersonCalendar all_;
  std::array<PersonCalendar, kPeople> calendars_;
  std::size_t next_link_ = 1;
  std::size_t next_uid_ = 1;
  std::int64_t last_day_ = 0;  ///< nothing takes place after it
};

}  // namespace hansard::sim
