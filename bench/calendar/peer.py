"""recurring-ical-events for bench/calendar/run: the protocol of expand_main.cc."""
import datetime
import sys
import time

import icalendar
import recurring_ical_events


def expand_once(content, start, end):
    return sum(len(recurring_ical_events.of(calendar).between(start, end))
               for calendar in icalendar.Calendar.from_ical(content, multiple=True))


def answer(line):
    start, end, seconds, path = line.rstrip("\n").split(" ", 3)
    with open(path, "rb") as f:
        content = f.read()
    start, end = (datetime.datetime.fromisoformat(t.replace("Z", "+00:00")) for t in (start, end))
    icalendar.use_zoneinfo()  # forgets the zones of the file before: the library keeps them by TZID
    begin = time.process_time()
    times = took = 0
    while times == 0 or took < float(seconds):
        count = expand_once(content, start, end)
        times += 1
        took = time.process_time() - begin
    return "%d %d" % (took * 1e9 / times, count)


for request in sys.stdin:
    try:
        out = answer(request)
    except Exception as error:  # whatever the library raises is its answer for this file
        out = "error %s: %s" % (type(error).__name__, " ".join(str(error).split())[:80])
    print(out, flush=True)
