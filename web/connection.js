// The API: requests with the bearer token, and the live stream with resumption.
const KEY = "hansard-token";

// The token comes in the fragment of the printed address, which is not sent to any server and not kept in the history.
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? "";
}

export async function call(method, path, body) {
  const response = await fetch(path, {
    method,
    headers: { Authorization: `Bearer ${takeToken()}`, ...(body ? { "Content-Type": "application/json" } : {}) },
    body: body ? JSON.stringify(body) : undefined,
  });
  const answer = await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error?.detail ?? `status ${response.status}`), { status: response.status });
  return answer;
}

// Calls onEvent(kind, body) for each event after `seq`, for ever; onState("live" | "lost" | "refused").
export async function follow(seq, onEvent, onState) {
  for (let delay = 500; ; delay = Math.min(delay * 2, 8000)) {
    try {
      const response = await fetch(`/api/events?after=${seq}`, { headers: { Authorization: `Bearer ${takeToken()}` }, cache: "no-store" });
      if (response.status === 401) return onState("refused");
      if (!response.ok) throw new Error(`status ${response.status}`);
      onState("live");
      delay = 250;
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      let pending = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        pending += value;
        for (let end; (end = pending.indexOf("\n\n")) >= 0; pending = pending.slice(end + 2)) {
          const event = { kind: "", data: "", id: 0 };
          for (const line of pending.slice(0, end).split("\n")) {
            if (line.startsWith("event: ")) event.kind = line.slice(7);
            else if (line.startsWith("data: ")) event.data = line.slice(6);
            else if (line.startsWith("id: ")) event.id = Number(line.slice(4));
          }
          if (event.kind) onEvent(event.kind, JSON.parse(event.data));
          if (event.id) seq = event.id;
        }
      }
    } catch {
      // It is tried again, as after an end that was said.
    }
    onState("lost");
    await new Promise((resolve) => setTimeout(resolve, delay));
  }
}
