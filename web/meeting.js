// One meeting on the page: transcript, findings, coverage, files.
import { $, clock, el, hue } from "./dom.js";

export const OVER = new Set(["done", "failed", "cancelled"]);
const SVG = "http://www.w3.org/2000/svg";

function speakerColour(name) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  return `hsl(${hue(name)} 55% ${dark ? 70 : 34}%)`;
}

export class MeetingView {
  constructor() {
    this.clear();
    const pane = document.querySelector(".transcript");
    pane.addEventListener("scroll", () => this.onScroll());
    $("to-end").addEventListener("click", () => { this.pinned = true; this.scrollToEnd(); });
  }

  clear() {
    this.participants = new Map();
    this.items = new Map();
    this.coverage = new Map();
    this.lastSpeaker = null;
    this.pinned = true;
    for (const id of ["utterances", "partials", "decisions", "tasks", "summary", "coverage", "files"]) $(id).replaceChildren();
  }

  // The whole meeting as GET /api/meetings/ID gives it.
  load(meeting) {
    this.clear();
    for (const p of meeting.participants) this.participants.set(p.id, p.name);
    for (const u of meeting.utterances) this.addUtterance(u, false);
    for (const i of meeting.items) this.items.set(i.id, i);
    for (const c of meeting.coverage) this.coverage.set(c.participant, c.intervals);
    this.showItems();
    this.showSummary(meeting.summary);
    this.showCoverage();
    this.showFiles(meeting.files);
    // A meeting that is over is read from its beginning, a running one where it is.
    this.pinned = !OVER.has(meeting.state);
    if (this.pinned) this.scrollToEnd();
    else document.querySelector(".transcript").scrollTop = 0;
    this.onScroll();
  }

  event(kind, body) {
    if (kind === "utterance.final") this.addUtterance(body.utterance, true);
    else if (kind === "utterance.partial") this.showPartial(body);
    else if (kind === "participant") this.participants.set(body.id, body.name);
    else if (kind === "analysis.item") this.changeItem(body.change);
    else if (kind === "analysis.summary") this.showSummary(body.text);
    else if (kind === "minutes") this.showFiles(body.files);
    else if (kind === "coverage") this.addCoverage(body.interval);
  }

  speak(speaker, startMs, text, turn) {
    const words = el("span", { text });
    const inner = el("div");
    if (turn) {
      const name = el("span", { class: "speaker", text: speaker });
      name.style.setProperty("--speaker", speakerColour(speaker));
      inner.append(name);
    }
    inner.append(words);
    return el("li", turn ? { class: "turn" } : {}, el("time", { text: clock(startMs) }), inner);
  }

  addUtterance(u, live) {
    this.dropPartial(u.participant);
    const line = this.speak(u.speaker, u.start_ms, u.text, this.lastSpeaker !== u.speaker);
    line.id = `utterance-${u.id}`;
    this.lastSpeaker = u.speaker;
    $("utterances").append(line);
    $("silence").hidden = true;
    if (live) this.keepEnd();
  }

  partialId(participant) { return `partial-${participant}`; }
  dropPartial(participant) { document.getElementById(this.partialId(participant))?.remove(); }

  showPartial(p) {
    const line = this.speak(p.speaker, p.start_ms, p.text, true);
    line.id = this.partialId(p.participant);
    const old = document.getElementById(line.id);
    if (old) old.replaceWith(line);
    else $("partials").append(line);
    $("silence").hidden = true;
    this.keepEnd();
  }

  clearPartials() { $("partials").replaceChildren(); }

  onScroll() {
    const pane = document.querySelector(".transcript");
    this.pinned = pane.scrollHeight - pane.scrollTop - pane.clientHeight < 60;
    $("to-end").hidden = this.pinned;
  }
  keepEnd() { if (this.pinned) this.scrollToEnd(); }
  scrollToEnd() {
    const pane = document.querySelector(".transcript");
    pane.scrollTop = pane.scrollHeight;
    $("to-end").hidden = true;
  }

  changeItem({ change, item }) {
    if (change === "withdrawn") this.items.delete(item.id);
    else this.items.set(item.id, item);
    this.showItems();
  }

  showItems() {
    const groups = { decision: $("decisions"), action_item: $("tasks") };
    for (const [kind, list] of Object.entries(groups)) {
      const items = [...this.items.values()].filter((i) => i.kind === kind);
      list.replaceChildren(...items.map((i) => this.itemLine(i)));
      if (items.length === 0) list.append(el("li", { class: "none", text: "None found so far." }));
    }
  }

  itemLine(item) {
    const line = el("li", {}, el("p", { class: "text", text: item.text }));
    const about = el("p", { class: "about" });
    if (item.owner) about.append(el("span", { class: "chip", text: item.owner }));
    if (item.due) about.append(el("span", { class: "chip", text: `due ${item.due}` }));
    if (about.childElementCount > 0) line.append(about);
    line.append(el("button", { class: "quote", type: "button", text: `“${item.quote}”`, title: "Show where it was said", onclick: () => this.mark(item.utterance_ids) }));
    return line;
  }

  // Shows the words that an item rests on.
  mark(ids) {
    for (const old of document.querySelectorAll(".marked")) old.classList.remove("marked");
    const lines = ids.map((id) => document.getElementById(`utterance-${id}`)).filter(Boolean);
    for (const line of lines) line.classList.add("marked");
    this.pinned = false;
    lines[0]?.scrollIntoView({ block: "center" });
  }

  showSummary(text) {
    const lines = (text ?? "").split("\n").filter((l) => l.trim());
    $("summary-box").hidden = lines.length === 0;
    $("summary").replaceChildren(...lines.map((l) => {
      const at = l.indexOf(": ");
      return at > 0 && at < 60 ? el("li", {}, el("b", { text: l.slice(0, at + 1) }), l.slice(at + 1)) : el("li", { text: l });
    }));
  }

  addCoverage(interval) {
    const list = this.coverage.get(interval.participant) ?? [];
    list.push(interval);
    this.coverage.set(interval.participant, list);
    this.showCoverage();
  }

  showCoverage() {
    const end = Math.max(1000, ...[...this.coverage.values()].flat().map((i) => i.end_ms));
    const rows = [...this.coverage].map(([participant, intervals]) => this.coverageRow(participant, intervals, end));
    $("coverage").replaceChildren(...rows);
    if (rows.length === 0) $("coverage").append(el("li", { class: "none", text: "Nothing captured yet." }));
  }

  coverageRow(participant, intervals, end) {
    const name = this.participants.get(participant) ?? participant;
    const total = (state) => intervals.filter((i) => i.state === state).reduce((sum, i) => sum + i.end_ms - i.start_ms, 0);
    // Rows of the running meeting may overlap: the stronger state is painted over the weaker, as the ledger counts it.
    const order = ["pending", "silent", "unrecognized", "transcribed", "withheld", "lost"];
    const painted = [...intervals].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state));
    const seconds = (ms) => `${(ms / 1000).toFixed(1)} s`;
    const lost = total("lost");
    const bar = document.createElementNS(SVG, "svg");
    bar.setAttribute("class", "bar");
    bar.setAttribute("viewBox", "0 0 1000 14");
    bar.setAttribute("preserveAspectRatio", "none");
    bar.setAttribute("role", "img");
    bar.setAttribute("aria-label", `${name}: ${seconds(total("transcribed"))} transcribed, ${seconds(total("silent"))} silent, ${seconds(lost)} lost`);
    for (const i of painted) {
      const part = document.createElementNS(SVG, "rect");
      // A loss of any length must be seen: at least three of the thousand parts.
      const width = Math.max((1000 * (i.end_ms - i.start_ms)) / end, i.state === "lost" ? 3 : 0);
      for (const [k, v] of Object.entries({ x: (1000 * i.start_ms) / end, y: 0, width, height: 14, "data-state": i.state })) part.setAttribute(k, v);
      const title = document.createElementNS(SVG, "title");
      title.textContent = `${clock(i.start_ms)} to ${clock(i.end_ms)}: ${i.state}${i.reason ? ` (${i.reason})` : ""}`;
      part.append(title);
      bar.append(part);
    }
    const line = el("p", { class: "line" }, el("span", { text: name }), lost > 0 ? el("span", { class: "lost", text: `${seconds(lost)} lost` }) : el("span", { class: "quiet", text: `${seconds(total("transcribed"))} spoken` }));
    return el("li", {}, line, bar);
  }

  showFiles(files) {
    $("files-box").hidden = !files || files.length === 0;
    $("files").replaceChildren(...(files ?? []).map((f) => el("li", { text: f })));
  }
}
