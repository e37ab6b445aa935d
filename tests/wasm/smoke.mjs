// Loads core as WebAssembly in Node and calls it, with no system behind it: the module may import only the few WASI
// functions listed here, which proves that core asks for no clock, file, socket or random source.
// With the native build of the same calls it compares every answer, byte for byte.
// usage: node smoke.mjs core_wasm.wasm [core_native]
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';

const [file, native] = process.argv.slice(2);
const bytes = readFileSync(file);

// libc++ and wasi-libc link these for the abort path (writing a last message) even when nothing calls them.
const allowed = new Set(['fd_close', 'fd_fdstat_get', 'fd_seek', 'fd_write', 'proc_exit', 'environ_get', 'environ_sizes_get']);

const started = performance.now();
const module = new WebAssembly.Module(bytes);
const compiled = performance.now();
const imports = WebAssembly.Module.imports(module);
for (const { module: from, name } of imports) {
  assert.equal(from, 'wasi_snapshot_preview1', `core imports ${from}.${name}`);
  assert.ok(allowed.has(name), `core imports ${name}: that is a system call it must not need`);
}

let memory;
const shim = Object.fromEntries(imports.map(({ name }) => [name, () => 8 /* EBADF */]));
shim.proc_exit = (code) => {
  throw new Error(`core ended with ${code}`);
};
shim.environ_sizes_get = (count, size) => {
  const view = new DataView(memory.buffer);
  view.setUint32(count, 0, true);
  view.setUint32(size, 0, true);
  return 0;
};
shim.environ_get = () => 0;
const { exports: core } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: shim });
memory = core.memory;
core._initialize();
const ready = performance.now();

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

const calls = [];

// Calls an export that takes one text and answers with one.
function call(name, text) {
  const input = encoder.encode(text);
  const at = core.hansard_alloc(input.length || 1);
  new Uint8Array(memory.buffer, at, input.length).set(input);
  const size = core[name](at, input.length);
  core.hansard_free(at);
  const answer = decoder.decode(new Uint8Array(memory.buffer, core.hansard_reply(), size));
  calls.push({ name, text, answer });
  return answer;
}

// A meeting or a calendar that lives in the module, driven by events and its own timers.
class Aggregate {
  records = [];
  effects = [];
  steps = 0;

  send(event, now) {
    const input = { ...(this.state && { state: this.state }), event, now_unix_ms: now };
    const reply = JSON.parse(call('hansard_step', JSON.stringify(input)));
    assert.equal(reply.error, undefined, reply.detail);
    this.steps += 1;
    this.now = now;
    this.state = reply.state;
    this.reply = reply;
    this.records.push(...reply.records);
    this.effects.push(...reply.effects);
    return reply;
  }

  // Fires what is due until the clock reaches `at`.
  advance(at) {
    for (let rounds = 0; this.reply.deadline_unix_ms !== null && this.reply.deadline_unix_ms <= at; rounds += 1) {
      assert.ok(rounds < 100, 'a timer that is fired goes away');
      const now = Math.max(this.now, this.reply.deadline_unix_ms);
      const due = Object.entries(this.state.timers).filter(([, when]) => when <= now);
      for (const [name] of due) this.send({ type: 'timer_fired', name }, now);
    }
    this.now = at;
  }
}

const start = 1_780_000_000_000;
const minute = 60_000;

const mediaReport = (meeting, phase, more) => ({ type: 'media_report', epoch: meeting.state.epoch, phase, ...more });

// A meeting that has been seen, prepared and joined, and records since `start`.
function recordingMeeting(id) {
  const meeting = new Aggregate();
  const spec = { platform: 'generic', meeting_key: id, url: `http://localhost/rooms/${id}`, title: 'Standup' };
  Object.assign(spec, { start_unix_ms: start, end_unix_ms: start + 30 * minute, source: 'work' });
  meeting.send({ type: 'meeting_seen', id, spec, settings: {}, seed: 7 }, start - 60 * minute);
  meeting.advance(start - 10 * minute);
  assert.equal(meeting.state.state, 'validating');
  meeting.send({ type: 'validated' }, meeting.now);
  meeting.send({ type: 'prepared', recognizer: true }, meeting.now);
  meeting.advance(start);
  assert.ok(meeting.effects.some(({ type }) => type === 'start_media'), 'it asks for the media');
  meeting.send(mediaReport(meeting, 'in_call', { announced: 'display_name' }), meeting.now);
  assert.equal(meeting.state.state, 'recording');
  return meeting;
}

const checks = {
  'JSON comes back as it went in'() {
    const text = '{"a":[1,-2.5,true,null,"sch\u00f6n \u{1f600}"],"b":{"c":9007199254740993}}';
    assert.equal(call('hansard_json', text), text);
  },
  'broken JSON is an error, not a trap'() {
    for (const text of ['', '{', '[1,]', '{"a":1}}', '"\\ud800"', '['.repeat(5000)]) {
      assert.equal(JSON.parse(call('hansard_json', text)).error, 'invalid', JSON.stringify(text.slice(0, 10)));
    }
  },
  'an utterance keeps its members'() {
    const utterance = { id: 'u1', participant: 'p1', speaker: 'Diane', start_ms: 120, end_ms: 900, text: 'Hello.', words: [] };
    assert.deepEqual(JSON.parse(call('hansard_utterance', JSON.stringify(utterance))), utterance);
  },
  'a member of the wrong type is named'() {
    const answer = JSON.parse(call('hansard_utterance', '{"id":7}'));
    assert.equal(answer.error, 'invalid');
    assert.match(answer.detail, /^id: /);
  },
  'a meeting runs from its invitation to its minutes'() {
    const meeting = recordingMeeting('m1');
    meeting.send({ type: 'participant_changed', id: 'p1', name: 'Ad\u00e8le', present: true }, meeting.now);
    for (let i = 0; i < 20; i += 1) {
      const said = { participant: 'p1', start_ms: i * 2000, end_ms: i * 2000 + 1500, text: `Sentence ${i} \u2713.` };
      meeting.send({ type: 'segment_final', ...said }, start + (i + 1) * 2000);
    }
    const final = meeting.records.filter(({ type }) => type === 'utterance.final');
    assert.equal(final.length, 20);
    assert.equal(final[19].utterance.speaker, 'Ad\u00e8le');
    meeting.send(mediaReport(meeting, 'ended'), start + 2 * minute);
    meeting.send(mediaReport(meeting, 'left'), meeting.now);
    assert.equal(meeting.state.state, 'processing');
    meeting.send({ type: 'speech_drained', complete: true }, meeting.now);
    meeting.send({ type: 'analysis_finished', changes: [], items: [], summary: 'They spoke.' }, meeting.now);
    meeting.send({ type: 'minutes_written', files: ['minutes.md'] }, meeting.now);
    meeting.send({ type: 'cleaned_up' }, meeting.now);
    assert.equal(meeting.state.state, 'done');
    assert.equal(meeting.reply.finished, false); // it keeps its place for a day: another name brings no second bot there
    meeting.advance(meeting.state.timers.place);
    assert.equal(meeting.reply.finished, true);
  },
  'a connection that stays away is given up as media_lost'() {
    const meeting = recordingMeeting('m2');
    const delays = [];
    for (let i = 0; i < 20; i += 1) {
      const lost = meeting.now;
      meeting.send(mediaReport(meeting, 'lost', { reason: 'network' }), lost);
      if (meeting.state.state !== 'reconnecting') break;
      delays.push(Math.floor((meeting.state.timers.reconnect - lost) / 1000));
      meeting.advance(meeting.state.timers.reconnect);
    }
    assert.equal(delays.length, 5);
    [2, 4, 8, 16, 32].forEach((base, i) => assert.ok(delays[i] >= base && delays[i] <= base * 1.125, `delay ${i} is ${delays[i]} s`));
    assert.equal(meeting.state.code, 'media_lost');
  },
  'an event that is none is refused'() {
    assert.equal(JSON.parse(call('hansard_step', '{"event":{"type":"nonsense"}}')).error, 'invalid');
    assert.equal(JSON.parse(call('hansard_step', '{"event":{"type":"validated"}}')).error, 'invalid');
  },
  'the native build gives the same bytes'() {
    assert.ok(calls.length > 40);
    if (!native) return;
    const lines = calls.filter(({ text }) => text !== '' && !text.includes('\n'));
    const input = lines.map(({ name, text }) => `${name} ${text}\n`).join('');
    const answer = spawnSync(native, { input, encoding: 'utf8', maxBuffer: 1 << 28 });
    assert.equal(answer.status, 0, answer.stderr);
    const answers = answer.stdout.split('\n');
    lines.forEach((line, i) => assert.equal(answers[i], line.answer, line.text));
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    check();
    console.log(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL ${name}: ${error.message}`);
  }
}

// What one step costs, JSON both ways.
const timed = calls.filter(({ name }) => name === 'hansard_step').map(({ text }) => text);
const before = performance.now();
for (const text of timed) call('hansard_step', text);
const each = ((performance.now() - before) / timed.length) * 1000;
console.log(
  `${(statSync(file).size / 1024).toFixed(0)} KB, ${imports.length} imports (${imports.map((i) => i.name).join(', ')}), ` +
    `compiled in ${(compiled - started).toFixed(1)} ms, ready in ${(ready - compiled).toFixed(1)} ms, ` +
    `${timed.length} steps of ${each.toFixed(0)} us, answers ${native ? 'compared with' : 'not compared with'} the native build`,
);
process.exit(failed ? 1 : 0);
