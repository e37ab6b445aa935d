#include "core/analysis/due.h"

#include <array>

#include "core/base/text.h"

namespace hansard::analysis {
namespace {

constexpr std::array<std::string_view, 7> kWeekdays = {"sunday",   "monday", "tuesday", "wednesday",
                                                       "thursday", "friday", "saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"january", "february", "march",     "april",   "may",      "june",
                                                      "july",    "august",   "september", "october", "november", "december"};
constexpr std::array<std::string_view, 21> kCardinals = {
    "zero",   "one",    "two",      "three",    "four",    "five",    "six",       "seven",    "eight",    "nine",  "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"};
constexpr std::array<std::string_view, 21> kOrdinals = {
    "",           "first",     "second",    "third",       "fourth",     "fifth",      "sixth",
    "seventh",    "eighth",    "ninth",     "tenth",       "eleventh",   "twelfth",    "thirteenth",
    "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"};
constexpr int kFriday = 5;

template <std::size_t N>
std::optional<int> index_of(const std::array<std::string_view, N>& names, std::string_view word) {
  for (std::size_t i = 0; i < N; ++i) {
    if (!word.empty() && names[i] == word) return static_cast<int>(i);
  }
  return std::nullopt;
}

/// Days since Monday: 0 = Monday ... 6 = Sunday.
int monday_based(int weekday) { return (weekday + 6) % 7; }

CivilDate plus_days(CivilDate d, std::int64_t n) { return civil_from_days(days_from_civil(d) + n); }
CivilDate month_end(int year, int month) {
  const CivilDate next = month == 12 ? CivilDate{year + 1, 1, 1} : CivilDate{year, month + 1, 1};
  return plus_days(next, -1);
}
CivilDate plus_months(CivilDate d, int n) {
  const int total = d.year * 12 + d.month - 1 + n;
  const CivilDate last = month_end(total / 12, total % 12 + 1);
  return {last.year, last.month, d.day < last.day ? d.day : last.day};
}
bool is_real(CivilDate d) { return d.month >= 1 && d.month <= 12 && d.day >= 1 && civil_from_days(days_from_civil(d)) == d; }

/// Reads one phrase at a position. Each rule returns the number of tokens it took (0 = does not apply) and sets date_.
class Reader {
 public:
  Reader(std::span<const Token> tokens, std::optional<CivilDate> today) : t_(tokens), today_(today) {}

  std::optional<DuePhrase> at(std::size_t i) {
    date_.reset();
    std::size_t n = 0;
    for (const auto rule : {&Reader::end_of, &Reader::day_name, &Reader::weekday, &Reader::span_of_time, &Reader::month_day,
                            &Reader::day_of_month, &Reader::period, &Reader::meeting}) {
      n = (this->*rule)(i);
      if (n != 0) break;
    }
    if (n == 0 || !allowed_before(i)) return std::nullopt;
    DuePhrase out{i, i + n, false, date_};
    extend(out);
    return out;
  }

 private:
  std::string_view word(std::size_t i) const { return i < t_.size() ? std::string_view(t_[i].norm) : std::string_view(); }
  bool is(std::size_t i, std::string_view w) const { return word(i) == w; }

  /// A cardinal in words or digits, "a", "couple of" (2).
  std::optional<int> number(std::size_t i, std::size_t& used) const {
    used = 1;
    std::int64_t n = 0;
    if (parse_digits(word(i), n) && n < 1000) return static_cast<int>(n);
    if (is(i, "a") && is(i + 1, "couple")) {
      used = is(i + 2, "of") ? 3 : 2;
      return 2;
    }
    if (is(i, "a") || is(i, "an")) return 1;
    if (is(i, "thirty")) return 30;
    return index_of(kCardinals, word(i));
  }
  /// The day of a month: "third", "3rd", "3", "twenty third".
  std::optional<int> day(std::size_t i, std::size_t& used, bool ordinal_only) const {
    used = 1;
    std::string_view w = word(i);
    const bool suffixed = w.size() > 2 && (w.ends_with("st") || w.ends_with("nd") || w.ends_with("rd") || w.ends_with("th"));
    std::int64_t n = 0;
    if (parse_digits(suffixed ? w.substr(0, w.size() - 2) : w, n) && n >= 1 && n <= 31 && (suffixed || !ordinal_only))
      return static_cast<int>(n);
    const bool twenty = w == "twenty", thirty = w == "thirty";
    if (twenty || thirty) {
      if (const auto unit = index_of(kOrdinals, word(i + 1)); unit && *unit < (twenty ? 10 : 2)) {
        used = 2;
        return (twenty ? 20 : 30) + *unit;
      }
    }
    if (w == "thirtieth") return 30;
    if (const auto o = index_of(kOrdinals, w)) return o;
    if (ordinal_only) return std::nullopt;
    if (const auto c = index_of(kCardinals, w); c && *c > 0) return c;
    return std::nullopt;
  }
  /// The day in this year, or in the next one when it has passed.
  void set_month_day(int month, int d) {
    if (!today_) return;
    CivilDate out{today_->year, month, d};
    if (out < *today_) ++out.year;
    if (is_real(out)) date_ = out;
  }
  CivilDate friday(int weeks) const {
    const std::int64_t now = days_from_civil(*today_);
    const int into = monday_based(weekday_from_days(now));
    const std::int64_t monday = now - into + std::int64_t{7} * weeks;
    const bool weekend_now = weeks == 0 && into > 4;
    return civil_from_days(weekend_now ? monday + 6 : monday + 4);
  }

  /// "end of (the) week|month|year|quarter|day", "end of next week", "end of January".
  std::size_t end_of(std::size_t i) {
    if (!is(i, "end") || !is(i + 1, "of")) return 0;
    std::size_t k = i + 2;
    if (is(k, "the") || is(k, "this")) ++k;
    const bool next = is(k, "next");
    if (next) ++k;
    if (const auto m = index_of(kMonths, word(k))) {
      if (today_) date_ = month_end(*m + 1 < today_->month ? today_->year + 1 : today_->year, *m + 1);
      return k + 1 - i;
    }
    if (!today_ && (is(k, "day") || is(k, "week") || is(k, "month") || is(k, "year") || is(k, "quarter"))) return k + 1 - i;
    if (!today_) return 0;
    if (is(k, "day")) date_ = today_;
    if (is(k, "week")) date_ = friday(next ? 1 : 0);
    if (is(k, "month")) {
      const CivilDate m = plus_months({today_->year, today_->month, 1}, next ? 1 : 0);
      date_ = month_end(m.year, m.month);
    }
    if (is(k, "quarter"))
      date_ = month_end(today_->year + (next && today_->month > 9 ? 1 : 0),
                        ((today_->month - 1) / 3 * 3 + 2 + (next ? 3 : 0)) % 12 + 1);
    if (is(k, "year")) date_ = CivilDate{today_->year + (next ? 1 : 0), 12, 31};
    return date_ ? k + 1 - i : 0;
  }
  std::size_t day_name(std::size_t i) {
    const auto set = [&](std::int64_t n) {
      if (today_) date_ = plus_days(*today_, n);
    };
    if (is(i, "tomorrow")) return set(1), 1;
    if (is(i, "today") || is(i, "tonight")) return set(0), 1;
    if (is(i, "day") && is(i + 1, "after") && is(i + 2, "tomorrow")) return set(2), 3;
    if (is(i, "this") && (is(i + 1, "morning") || is(i + 1, "afternoon") || is(i + 1, "evening"))) return set(0), 2;
    if (is(i, "noon") && i > 0 && (is(i - 1, "by") || is(i - 1, "before"))) return set(0), 1;
    return 0;
  }
  /// "Friday", "this Friday", "next Friday", "Friday next week", "next week Friday".
  std::size_t weekday(std::size_t i) {
    std::size_t k = i;
    const bool this_one = is(k, "this") || is(k, "coming");
    bool next = is(k, "next");
    if (this_one || next) ++k;
    if (next && is(k, "week")) k += is(k + 1, "on") ? 2 : 1;
    const auto w = index_of(kWeekdays, word(k));
    if (!w) return 0;
    ++k;
    if (is(k, "next") && is(k + 1, "week")) {
      next = true;
      k += 2;
    }
    if (!today_) return k - i;
    const std::int64_t now = days_from_civil(*today_);
    const int current = weekday_from_days(now);
    if (next) {
      date_ = civil_from_days(now - monday_based(current) + 7 + monday_based(*w));
    } else {
      int ahead = (*w - current + 7) % 7;
      if (ahead == 0 && !this_one) ahead = 7;
      date_ = civil_from_days(now + ahead);
    }
    return k - i;
  }
  /// "in two weeks", "within a month", "two weeks from now".
  std::size_t span_of_time(std::size_t i) {
    std::size_t k = i;
    const bool lead = is(k, "in") || is(k, "within");
    if (lead) ++k;
    if (is(k, "the") && is(k + 1, "next")) k += 2;
    std::size_t used = 0;
    const auto n = number(k, used);
    if (!n) return 0;
    k += used;
    const std::string_view unit = word(k);
    const bool days = unit == "day" || unit == "days", weeks = unit == "week" || unit == "weeks",
               months = unit == "month" || unit == "months";
    if (!days && !weeks && !months) return 0;
    ++k;
    const bool from_now = is(k, "from") && (is(k + 1, "now") || is(k + 1, "today"));
    if (!lead && !from_now) return 0;
    if (from_now) k += 2;
    if (is(k, "ago")) return 0;
    if (today_) date_ = months ? plus_months(*today_, *n) : plus_days(*today_, weeks ? 7 * *n : *n);
    return k - i;
  }
  /// "March third", "3 March", "the third of March".
  std::size_t month_day(std::size_t i) {
    std::size_t used = 0;
    if (const auto m = index_of(kMonths, word(i))) {
      std::size_t k = i + 1;
      if (is(k, "the")) ++k;
      const auto d = day(k, used, false);
      if (!d) return 0;
      set_month_day(*m + 1, *d);
      return k + used - i;
    }
    std::size_t k = is(i, "the") ? i + 1 : i;
    const auto d = day(k, used, false);
    if (!d) return 0;
    k += used;
    if (is(k, "of")) ++k;
    const auto m = index_of(kMonths, word(k));
    if (!m) return 0;
    set_month_day(*m + 1, *d);
    return k + 1 - i;
  }
  /// "by the twentieth": only behind a preposition, for ordinals mean many things.
  std::size_t day_of_month(std::size_t i) {
    if (i == 0 || !is(i, "the")) return 0;
    if (!is(i - 1, "by") && !is(i - 1, "until") && !is(i - 1, "before") && !is(i - 1, "on") && !is(i - 1, "till")) return 0;
    std::size_t used = 0;
    const auto d = day(i + 1, used, true);
    if (!d || (i + 1 + used < t_.size() && !t_[i + used].comma_after && !is_stop_word(word(i + 1 + used)))) return 0;
    if (today_) {
      CivilDate out{today_->year, today_->month, *d};
      if (*d < today_->day) out = plus_months({today_->year, today_->month, 1}, 1), out.day = *d;
      if (is_real(out)) date_ = out;
    }
    return 1 + used;
  }
  /// "this week", "next month".
  std::size_t period(std::size_t i) {
    const bool next = is(i, "next");
    if (!next && !is(i, "this")) return 0;
    if (!is(i + 1, "week") && !is(i + 1, "month")) return 0;
    if (today_) {
      if (is(i + 1, "week")) {
        date_ = friday(next ? 1 : 0);
      } else {
        const CivilDate m = plus_months({today_->year, today_->month, 1}, next ? 1 : 0);
        date_ = month_end(m.year, m.month);
      }
    }
    return 2;
  }
  /// "by the next meeting": a time without a date.
  std::size_t meeting(std::size_t i) {
    if (is(i, "next") && (is(i + 1, "meeting") || is(i + 1, "time"))) return 2;
    return 0;
  }

  bool allowed_before(std::size_t i) const {
    static constexpr std::string_view kPast[] = {"last", "since", "every", "past", "each"};
    for (std::size_t back = 1; back <= 2 && back <= i; ++back) {
      for (const auto w : kPast) {
        if (is(i - back, w)) return false;
      }
    }
    return true;
  }
  /// Takes in the preposition before and the part of the day behind.
  void extend(DuePhrase& p) const {
    const auto is_part = [&](std::size_t k) {
      return is(k, "morning") || is(k, "afternoon") || is(k, "evening") || is(k, "noon") || is(k, "night") || is(k, "lunchtime");
    };
    if (is_part(p.end))
      ++p.end;
    else if (is(p.end, "at") && is(p.end + 1, "noon"))
      p.end += 2;
    if (p.begin > 0 && is(p.begin - 1, "the")) --p.begin;
    if (p.begin > 1 && is(p.begin - 1, "thing") && is(p.begin - 2, "first")) p.begin -= 2;
    if (p.begin > 0 && is(p.begin - 1, "end")) return;
    static constexpr std::string_view kDeadline[] = {"by", "until", "till", "before", "than"};
    for (const auto w : kDeadline) {
      if (p.begin > 0 && is(p.begin - 1, w)) {
        p.begin -= w == "than" && p.begin > 2 ? 3 : 1;
        p.deadline = true;
        return;
      }
    }
    static constexpr std::string_view kLead[] = {"on", "for", "at", "in", "over", "within"};
    for (const auto w : kLead) {
      if (p.begin > 0 && is(p.begin - 1, w)) {
        --p.begin;
        return;
      }
    }
  }

  std::span<const Token> t_;
  std::optional<CivilDate> today_;
  std::optional<CivilDate> date_;
};

}  // namespace

std::optional<DuePhrase> find_due(std::span<const Token> tokens, std::optional<CivilDate> today) {
  std::optional<DuePhrase> first;
  Reader reader(tokens, today);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto p = reader.at(i);
    if (!p) continue;
    if (p->deadline) return p;
    if (!first) first = p;
    i = p->end - 1;
  }
  return first;
}

std::string format_date(CivilDate date) { return format_rfc3339(Instant{days_from_civil(date) * 86'400'000}).substr(0, 10); }

Result<CivilDate> parse_date(std::string_view text) {
  const auto parts = split(text, '-');
  std::int64_t y = 0, m = 0, d = 0;
  const bool shaped = parts.size() == 3 && parts[0].size() == 4 && parts[1].size() == 2 && parts[2].size() == 2;
  if (!shaped || !parse_digits(parts[0], y) || !parse_digits(parts[1], m) || !parse_digits(parts[2], d)) {
    return fail(ErrorClass::kInvalid, "analysis", "a date must be written YYYY-MM-DD");
  }
  const CivilDate out{static_cast<int>(y), static_cast<int>(m), static_cast<int>(d)};
  if (!is_real(out)) return fail(ErrorClass::kInvalid, "analysis", "there is no such day");
  return out;
}

}  // namespace hansard::analysis
