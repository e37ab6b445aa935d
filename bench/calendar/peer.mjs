// ical.js for bench/calendar/run: the protocol of expand_main.cc. The argument is the package's folder.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const { default: ICAL } = await import(`${process.argv[2]}/dist/ical.js`);
// A rule that never reaches the window is given up here, as anybody who uses the library has to.
const MAX_STEPS = 200_000;

function expandOnce(text, from, to) {
  const parsed = ICAL.parse(text);
  const calendars = typeof parsed[0] === 'string' ? [parsed] : parsed;
  let count = 0;
  const overlaps = (start, end) => start < to && (end > from || (end === start && start >= from));
  for (const jcal of calendars) {
    const calendar = new ICAL.Component(jcal);
    ICAL.TimezoneService.reset();
    for (const zone of calendar.getAllSubcomponents('vtimezone')) ICAL.TimezoneService.register(zone);
    const series = new Map();
    for (const component of calendar.getAllSubcomponents('vevent')) {
      const event = new ICAL.Event(component);
      const one = series.get(event.uid) ?? { masters: [], exceptions: [] };
      series.set(event.uid, one);
      (event.isRecurrenceException() ? one.exceptions : one.masters).push(event);
    }
    for (const { masters, exceptions } of series.values()) {
      const master = masters[masters.length - 1];
      if (master !== undefined) for (const exception of exceptions) master.relateException(exception);
      for (const event of master === undefined ? exceptions : [master]) {
        if (!event.isRecurring()) {
          if (overlaps(event.startDate.toUnixTime(), event.endDate.toUnixTime())) ++count;
          continue;
        }
        const iterator = event.iterator();
        for (let step = 0, next; step < MAX_STEPS && (next = iterator.next()); ++step) {
          if (next.toUnixTime() >= to) break;
          const { startDate, endDate } = event.getOccurrenceDetails(next);
          if (overlaps(startDate.toUnixTime(), endDate.toUnixTime())) ++count;
        }
      }
    }
  }
  return count;
}

function answer(line) {
  const [from, to, seconds, ...path] = line.split(' ');
  const text = readFileSync(path.join(' '), 'utf8');
  const first = Date.parse(from) / 1000;
  const last = Date.parse(to) / 1000;
  const begin = process.cpuUsage();
  let times = 0;
  let count = 0;
  let took = 0; // microseconds
  do {
    count = expandOnce(text, first, last);
    ++times;
    const used = process.cpuUsage(begin);
    took = used.user + used.system;
  } while (took < seconds * 1e6);
  return `${Math.round((took * 1000) / times)} ${count}`;
}

for await (const line of createInterface({ input: process.stdin })) {
  let out;
  try {
    out = answer(line);
  } catch (error) {
    out = `error ${String(error).split('\n')[0]}`;
  }
  process.stdout.write(`${out}\n`);
}
