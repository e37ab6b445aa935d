"""Calendars of realistic size, the same in every run: what the benchmark adds to the small files of the shared data."""
import datetime
import os
import random

# (TZID, standard offset, summer offset, summer begins, summer ends); rules as in force today.
ZONES = [
    ("Europe/Berlin", "+0100", "+0200", ("3", "-1SU", "020000"), ("10", "-1SU", "030000")),
    ("Europe/London", "+0000", "+0100", ("3", "-1SU", "010000"), ("10", "-1SU", "020000")),
    ("America/New_York", "-0500", "-0400", ("3", "2SU", "020000"), ("11", "1SU", "020000")),
    ("Australia/Sydney", "+1000", "+1100", ("10", "1SU", "020000"), ("4", "1SU", "030000")),
    ("Asia/Kolkata", "+0530", None, None, None),
]
DAY = datetime.timedelta(days=1)
HTML = "<html><body><p>" + "Please read the attached notes before we meet. " * 20 + "</p></body></html>"


def fold(line):
    out = line[:75]
    for at in range(75, len(line), 74):
        out += "\r\n " + line[at:at + 74]
    return out


def zone_lines(zone):
    name, standard, summer, begins, ends = zone
    lines = ["BEGIN:VTIMEZONE", "TZID:" + name]
    parts = [("STANDARD", summer or standard, standard, ends)]
    if summer:
        parts.append(("DAYLIGHT", standard, summer, begins))
    for kind, before, after, rule in parts:
        lines += ["BEGIN:" + kind, "TZOFFSETFROM:" + before, "TZOFFSETTO:" + after]
        if rule:
            month, day, time = rule
            lines += ["DTSTART:1990%02d01T%s" % (int(month), time), "RRULE:FREQ=YEARLY;BYMONTH=%s;BYDAY=%s" % (month, day)]
        else:
            lines.append("DTSTART:19700101T000000")
        lines.append("END:" + kind)
    return lines + ["END:VTIMEZONE"]


def last_workday(day):
    return all((day + n * DAY).month != day.month or (day + n * DAY).weekday() > 4 for n in (1, 2, 3))


class Feed:
    def __init__(self, seed, zones=ZONES):
        self.rng = random.Random(seed)
        self.zones = zones
        self.lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//hansard//bench//EN"]
        for zone in zones:
            self.lines += zone_lines(zone)
        self.events = 0

    def at(self, name, when, zone):
        return "%s;TZID=%s:%s" % (name, zone, when.strftime("%Y%m%dT%H%M%S"))

    def event(self, uid, start, zone, extra=(), html=False):
        room = "https://meet.example/%s" % uid[:8]
        lines = ["BEGIN:VEVENT", "UID:" + uid, "DTSTAMP:20240101T000000Z", self.at("DTSTART", start, zone),
                 self.at("DTEND", start + datetime.timedelta(minutes=self.rng.choice([25, 30, 50, 60])), zone),
                 "SUMMARY:Meeting %d" % self.events, "LOCATION:" + room,
                 "DESCRIPTION:Agenda\\n1. Open points\\n2. Next steps\\nJoin: " + room + "\\n" + "We go through the list. " * 8,
                 "ORGANIZER;CN=Anna:mailto:anna@example.com", "STATUS:CONFIRMED", "SEQUENCE:1", "TRANSP:OPAQUE"]
        for n in range(self.rng.randint(1, 8)):
            lines.append("ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Guest %d;X-NUM-GUESTS=0:"
                         "mailto:guest%d@example.com" % (n, n))
        if html:
            lines.append("X-ALT-DESC;FMTTYPE=text/html:" + HTML)
        self.lines += lines + list(extra) + ["END:VEVENT"]
        self.events += 1

    def moment(self, first, days):
        day = first + self.rng.randrange(days) * DAY
        return datetime.datetime(day.year, day.month, day.day, self.rng.randrange(9, 17), self.rng.choice([0, 15, 30]))

    def series(self, first, days, rules, html=False):
        uid = "%016x@bench.example" % self.rng.getrandbits(64)
        start = self.moment(first, days)
        zone = self.rng.choice(self.zones)[0]
        step, rule = self.rng.choice(rules)
        # A series whose start its own rule does not name is read differently by different programs.
        while start.weekday() > 4 or ("1DAYNAME" in rule and start.day > 7) or ("SETPOS" in rule and not last_workday(start)):
            start += DAY
        rule = rule.replace("DAYNAME", ["MO", "TU", "WE", "TH", "FR"][start.weekday()])
        extra = ["RRULE:" + rule]
        if step and self.rng.random() < 0.4:
            extra += [self.at("EXDATE", start + k * step * DAY, zone) for k in sorted(self.rng.sample(range(1, 20), 3))]
        self.event(uid, start, zone, extra, html)
        if step and self.rng.random() < 0.3:
            for k in self.rng.sample(range(20, 40), 2):
                original = start + k * step * DAY
                self.event(uid, original + datetime.timedelta(hours=1), zone, [self.at("RECURRENCE-ID", original, zone)], html)

    def write(self, path):
        with open(path, "w", newline="") as f:
            f.write("\r\n".join(fold(line) for line in self.lines + ["END:VCALENDAR"]) + "\r\n")


WEEKLY = (7, "FREQ=WEEKLY;BYDAY=DAYNAME")
RULES = [WEEKLY, (7, "FREQ=WEEKLY"), (14, "FREQ=WEEKLY;INTERVAL=2;WKST=MO;BYDAY=DAYNAME"), (1, "FREQ=DAILY;COUNT=120"),
         (7, "FREQ=WEEKLY;UNTIL=20260601T000000Z"), (0, "FREQ=MONTHLY;BYDAY=1DAYNAME,3DAYNAME"),
         (0, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"), (0, "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1")]


def write_feeds(folder):
    """[(name, path, from, to)]"""
    team = Feed(1)
    for _ in range(300):
        team.series(datetime.date(2025, 1, 1), 300, RULES)
    old = Feed(2)
    for _ in range(60):
        old.series(datetime.date(2014, 1, 1), 700, [WEEKLY, (1, "FREQ=DAILY"), (14, "FREQ=WEEKLY;INTERVAL=2;BYDAY=DAYNAME")])
    singles = Feed(3)
    for n in range(1000):
        singles.event("single-%d@bench.example" % n, singles.moment(datetime.date(2025, 1, 1), 700), "Europe/Berlin")
    person = Feed(4, ZONES[:1])
    for _ in range(10):
        person.series(datetime.date(2025, 3, 1), 200, RULES, html=True)
    for n in range(20):
        person.event("person-%d@bench.example" % n, person.moment(datetime.date(2025, 9, 1), 90), "Europe/Berlin", html=True)
    out = []
    for name, feed, windows in [
            ("300 series", team, [("a year", "2025-06-01", "2026-06-01"), ("a day", "2025-11-04", "2025-11-05")]),
            ("60 series of 11 years", old, [("a month", "2025-11-01", "2025-12-01")]),
            ("1000 single events", singles, [("a day", "2025-11-04", "2025-11-05")]),
            ("30 events with HTML", person, [("a day", "2025-11-04", "2025-11-05")])]:
        path = os.path.join(folder, name.replace(" ", "-") + ".ics")
        feed.write(path)
        out += [("%s, %s" % (name, label), path, start + "T00:00:00Z", end + "T00:00:00Z") for label, start, end in windows]
    return out
