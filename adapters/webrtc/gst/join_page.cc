#include "adapters/webrtc/gst/room.h"

namespace hansard::webrtc {

// Nothing of the request is written into the page; its script reads the address itself.
const std::string_view kJoinPage = R"html(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Join the room</title>
<style>body{font:16px system-ui;margin:3rem auto;max-width:32rem;padding:0 1rem}input,button{font:inherit;padding:.4rem .8rem}</style></head>
<body><h1>Join the room</h1>
<form id="form"><label>Your name <input id="name" maxlength="80" required></label> <button id="go">Join with microphone</button></form>
<p id="state" role="status">Not connected.</p>
<script>
const state = text => { document.getElementById('state').textContent = text; };
const query = new URLSearchParams(location.search);
let session = null;
async function join(name) {
  state('Asking for the microphone ...');
  const media = await navigator.mediaDevices.getUserMedia({audio: {echoCancellation: false, noiseSuppression: false, autoGainControl: false}});
  const peer = new RTCPeerConnection();
  peer.onconnectionstatechange = () => { state(peer.connectionState); document.body.dataset.state = peer.connectionState; };
  for (const track of media.getAudioTracks()) peer.addTransceiver(track, {direction: 'sendonly', streams: [media]});
  await peer.setLocalDescription(await peer.createOffer());
  await new Promise(done => {
    if (peer.iceGatheringState === 'complete') return done();
    peer.onicegatheringstatechange = () => peer.iceGatheringState === 'complete' && done();
    setTimeout(done, 2000);
  });
  const reply = await fetch(location.pathname.replace(/join\/?$/, 'whip') + '?name=' + encodeURIComponent(name),
                            {method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: peer.localDescription.sdp});
  if (reply.status !== 201) throw new Error('The room answered ' + reply.status);
  session = new URL(reply.headers.get('Location'), location.href);
  await peer.setRemoteDescription({type: 'answer', sdp: await reply.text()});
}
const start = name => join(name).catch(error => { state(error.message); document.body.dataset.state = 'error'; });
document.getElementById('form').onsubmit = event => { event.preventDefault(); start(document.getElementById('name').value); };
addEventListener('pagehide', () => { if (session) fetch(session, {method: 'DELETE', keepalive: true}); });
if (query.get('name')) { document.getElementById('name').value = query.get('name'); if (query.has('auto')) start(query.get('name')); }
</script></body></html>
)html";

}  // namespace hansard::webrtc
