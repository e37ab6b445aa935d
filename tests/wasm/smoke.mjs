// Loads core as WebAssembly in Node and calls it, with no system behind it: the module may import only the few WASI
// functions listed here, which proves that core asks for no clock, file, socket or random source.
// usage: node smoke.mjs core_wasm.wasm
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';

const file = process.argv[2];
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

// Calls an export that takes one text and answers with one.
function call(name, text) {
  const input = encoder.encode(text);
  const at = core.hansard_alloc(input.length || 1);
  new Uint8Array(memory.buffer, at, input.length).set(input);
  const size = core[name](at, input.length);
  core.hansard_free(at);
  return decoder.decode(new Uint8Array(memory.buffer, core.hansard_reply(), size));
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
console.log(
  `${(statSync(file).size / 1024).toFixed(0)} KB, ${imports.length} imports (${imports.map((i) => i.name).join(', ')}), ` +
    `compiled in ${(compiled - started).toFixed(1)} ms, ready in ${(ready - compiled).toFixed(1)} ms`,
);
process.exit(failed ? 1 : 0);
