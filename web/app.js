// The page: meetings on the left, one of them on the right, kept current by the live stream.
import { call, follow, takeToken } from "./connection.js";
import { $, el } from "./dom.js";
import { MeetingView, OVER } from "./meeting.js";

const LIVE = new Set(["recording"]);
const JOINED = new Set(["joining", "in_waiting_room", "in_call", "recording", "paused", "reconnecting"]);
const NAMES = {
  scheduled: "scheduled", validating: "checking", preparing: "prepared", joining: "joining", in_waiting_room: "waiting room", in_call: "in call",
  recording: "recording", paused: "paused", reconnecting: "reconnecting", leaving: "leaving", processing: "writing minutes", distributing: "tasks",
  cleaning: "cleaning up", done: "done", failed: "failed", cancelled: "cancelled",
};

const view = new MeetingView();
const meetings = new Map();
let chosen = null;
let loadedSeq = 0;
let followed = 0;

function notice(text) {
  $("notice").textContent = text ?? "";
  $("notice").hidden = !text;
}

function badge(node, state) {
  node.textContent = NAMES[state] ?? state;
  node.dataset.kind = LIVE.has(state) ? "live" : state === "failed" ? "failed" : OVER.has(state) ? "over" : "waiting";
}

function when(meeting) {
  const start = new Date(meeting.start);
  const end = new Date(meeting.end);
  const time = (d) => d.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  const today = start.toDateString() === new Date().toDateString();
  return `${today ? "Today" : start.toLocaleDateString([], { weekday: "short", day: "numeric", month: "short" })}, ${time(start)} to ${time(end)}`;
}

function showList() {
  const lines = [...meetings.values()].map((m) => {
    const state = el("span", { class: "badge" });
    badge(state, m.state);
    const button = el("button", { type: "button", onclick: () => choose(m.id) },
      el("span", { class: "name", text: m.title || "Meeting" }), el("span", { class: "line" }, el("span", { class: "quiet", text: when(m) }), state));
    if (m.id === chosen) button.setAttribute("aria-current", "true");
    return el("li", {}, button);
  });
  $("meetings").replaceChildren(...lines);
  $("no-meetings").hidden = lines.length > 0;
}

function showHead() {
  const m = meetings.get(chosen);
  if (!m) return;
  $("title").textContent = m.title || "Meeting";
  $("when").textContent = when(m);
  badge($("state"), m.state);
  // A failure says what a person can do; another note is shown only when it says more than the state.
  const note = m.note && m.note !== m.state ? m.note : "";
  const advice = m.advice ? `${m.code}: ${m.advice}${m.vendor_code ? ` (${m.vendor_code})` : ""}` : note;
  $("advice").textContent = advice;
  $("advice").hidden = !advice;
  $("advice").dataset.kind = m.advice ? "failed" : "note";
  $("stop").hidden = !JOINED.has(m.state);
  $("pause").hidden = m.state !== "recording" && m.state !== "paused";
  $("pause").textContent = m.state === "paused" ? "Resume" : "Pause";
}

async function choose(id) {
  chosen = id;
  $("nothing").hidden = true;
  $("detail").hidden = false;
  showList();
  showHead();
  const meeting = await call("GET", `/api/meetings/${encodeURIComponent(id)}`);
  if (chosen !== id) return;
  loadedSeq = meeting.seq;
  meetings.set(id, meeting);
  view.load(meeting);
  showHead();
}

// The best meeting to show without being asked: one that runs, else the newest.
function chooseByItself() {
  const running = [...meetings.values()].find((m) => JOINED.has(m.state));
  const first = running ?? meetings.values().next().value;
  if (first && (chosen === null || (running && OVER.has(meetings.get(chosen)?.state)))) choose(first.id).catch((e) => notice(e.message));
}

async function refreshList() {
  const list = await call("GET", "/api/meetings");
  meetings.clear();
  for (const m of list) meetings.set(m.id, m);
  showList();
  showHead();
  chooseByItself();
}

// Everything that the calendars show, attended or not, each with its reason. Asked for only while it is open.
async function refreshPlan() {
  if (!$("plan-box").open) return;
  const plan = await call("GET", "/api/calendars/plan");
  $("plan").replaceChildren(...plan.map((m) => el("li", { "data-attend": m.attend },
    el("span", { class: "name", text: m.title || "Meeting" }),
    el("span", { class: "quiet", text: `${m.all_day ? new Date(m.start).toLocaleDateString([], { weekday: "short" }) : when(m)} · ${m.calendars.join(", ")}` }),
    el("span", { class: "quiet", text: `${m.attend ? "attended" : "not attended"}: ${m.why}` }))));
  $("no-plan").hidden = plan.length > 0;
}

async function refreshStatus() {
  const status = await call("GET", "/api/status");
  const r = status.recognizer;
  $("recognizer").textContent = r.ready ? `speech: ${r.model}` : r.detail ? `no speech recognition: ${r.detail}` : "speech recognition starts";
  const s = status.stopping;
  $("stopping").hidden = !s;
  if (s) {
    const until = s.until ? `, until ${new Date(s.until).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })}` : "";
    $("stopping").textContent = `draining, ${s.meetings} ${s.meetings === 1 ? "meeting" : "meetings"} left${until}`;
  }
  return status;
}

function onEvent(kind, body) {
  if (kind === "meeting.state") {
    refreshList().catch((e) => notice(e.message));
    refreshPlan().catch((e) => notice(e.message));
    if (body.meeting === chosen && OVER.has(body.state)) view.clearPartials();
    return;
  }
  if (kind === "calendar") return void refreshPlan().catch((e) => notice(e.message));
  // Rows up to loadedSeq are in what was loaded.
  if (body.meeting === chosen && (!body.seq || body.seq > loadedSeq)) view.event(kind, body);
}

function onState(state) {
  $("connection").dataset.state = state;
  $("connection").textContent = state === "live" ? "live" : state === "refused" ? "no access" : "connection lost, trying again";
  if (state === "refused") notice("This page needs its token: open the address that `hansard status` prints.");
  if (state === "live") {
    notice(null);
    refreshStatus().catch(() => {});
  } else {
    // What a daemon that is gone was about to do, and what was being said, is over.
    $("stopping").hidden = true;
    view.clearPartials();
  }
}

$("join").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const { id } = await call("POST", "/api/meetings", { url: $("join-url").value });
    $("join-url").value = "";
    notice(null);
    chosen = id;
    setTimeout(() => refreshList().then(() => choose(id)).catch((e) => notice(e.message)), 300);
  } catch (e) {
    notice(e.message);
  }
});
$("stop").addEventListener("click", () => call("POST", `/api/meetings/${encodeURIComponent(chosen)}/stop`, {}).catch((e) => notice(e.message)));
$("pause").addEventListener("click", () => {
  const verb = meetings.get(chosen)?.state === "paused" ? "resume" : "pause";
  call("POST", `/api/meetings/${encodeURIComponent(chosen)}/${verb}`, {}).catch((e) => notice(e.message));
});
$("plan-box").addEventListener("toggle", () => refreshPlan().catch((e) => notice(e.message)));
setInterval(() => refreshStatus().catch(() => {}), 5_000);

async function main() {
  if (!takeToken()) return onState("refused");
  for (;;) {
    try {
      const status = await refreshStatus();
      followed = status.last_seq;
      await refreshList();
      break;
    } catch (e) {
      if (e.status === 401) return onState("refused");
      onState("lost");
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
  await follow(followed, onEvent, onState);
}
main();
