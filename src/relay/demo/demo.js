// SPDX-License-Identifier: Apache-2.0
// The demo page: two ends of a call in one page, which may use nothing but the relay, and figures.
"use strict";

const PERIOD_MS = 500; // between two looks at the figures
const SAMPLES = 120; // of them in the graph: a minute
const CONNECT_MS = 15000;

const element = (id) => document.getElementById(id);
const samples = []; // {rate, rtt}
let call = null; // the one that there is

// --- pictures and sound without a camera

// A sea at night, so that something moves, with a clock to see how late it arrives.
function draw(context, width, height, now) {
    const seconds = now / 1000;
    const sky = context.createLinearGradient(0, 0, 0, height);
    sky.addColorStop(0, "#0a1f33");
    sky.addColorStop(0.6, "#14586b");
    sky.addColorStop(1, "#f0b35a");
    context.fillStyle = sky;
    context.fillRect(0, 0, width, height);
    context.fillStyle = "#fdf3d8";
    context.beginPath();
    context.arc(width * 0.24, height * 0.26, height * 0.085, 0, 7);
    context.fill();
    const boatX = width * (0.5 + 0.32 * Math.sin(seconds / 5));
    ["#1f7d86", "#126370", "#0a4656", "#06303f"].forEach((colour, layer) => {
        const level = height * (0.6 + layer * 0.1);
        const swell = (x) => level + height * 0.022 * (layer + 1) *
            Math.sin(x / width * (9 - layer) + seconds * (0.7 + layer * 0.35));
        if (layer === 2) {
            drawBoat(context, boatX, swell(boatX), height / 14,
                     Math.atan2(swell(boatX + 20) - swell(boatX - 20), 40));
        }
        context.fillStyle = colour;
        context.beginPath();
        context.moveTo(0, height);
        for (let x = 0; x <= width; x += 16) {
            context.lineTo(x, swell(x));
        }
        context.lineTo(width, height);
        context.fill();
    });
    context.fillStyle = "#ffffffe8";
    context.font = `600 ${height / 13}px system-ui, sans-serif`;
    context.fillText(new Date().toISOString().slice(11, 22), width * 0.4, height * 0.3);
}

function drawBoat(context, x, y, size, tilt) {
    context.save();
    context.translate(x, y);
    context.rotate(tilt);
    context.fillStyle = "#f7ead0";
    context.beginPath();
    context.moveTo(0, -size * 3.1);
    context.quadraticCurveTo(size * 1.9, -size * 1.2, size * 1.5, -size * 0.55);
    context.lineTo(0, -size * 0.55);
    context.fill();
    context.fillStyle = "#e7a645";
    context.beginPath();
    context.moveTo(-size * 0.15, -size * 2.8);
    context.quadraticCurveTo(-size * 1.3, -size * 1.2, -size * 1.2, -size * 0.55);
    context.lineTo(-size * 0.15, -size * 0.55);
    context.fill();
    context.fillStyle = "#7a2f23";
    context.beginPath();
    context.moveTo(-size * 2, -size * 0.35);
    context.lineTo(size * 2.1, -size * 0.35);
    context.quadraticCurveTo(size * 1.5, size * 0.8, 0, size * 0.8);
    context.quadraticCurveTo(-size * 1.5, size * 0.8, -size * 2, -size * 0.35);
    context.fill();
    context.restore();
}

// A stream that is drawn and hummed here. `stop` ends what makes it.
function drawnStream() {
    const canvas = document.createElement("canvas");
    canvas.width = 1280;
    canvas.height = 720;
    const context = canvas.getContext("2d", { alpha: false });
    const paint = () => draw(context, canvas.width, canvas.height, performance.now());
    paint();
    const timer = setInterval(paint, 33); // a hidden page gets no animation frames
    const stream = canvas.captureStream(30);
    const audio = new AudioContext();
    const out = audio.createMediaStreamDestination();
    for (const [frequency, level] of [[220, 0.05], [277.18, 0.03], [329.63, 0.03]]) {
        const tone = audio.createOscillator();
        const gain = audio.createGain();
        tone.frequency.value = frequency;
        gain.gain.value = level;
        tone.connect(gain).connect(out);
        tone.start();
    }
    stream.addTrack(out.stream.getAudioTracks()[0]);
    return { stream, stop: () => { clearInterval(timer); audio.close(); } };
}

// What there is of camera and microphone; what is drawn if there is none or it may not be used.
async function cameraStream() {
    const wishes = { video: { width: 1280, height: 720 }, audio: true };
    for (const wish of [wishes, { ...wishes, audio: false }]) {
        try {
            const stream = await navigator.mediaDevices.getUserMedia(wish);
            return { stream, stop: () => {} };
        } catch (error) {
            if (error.name === "NotAllowedError") {
                break;
            }
        }
    }
    return drawnStream();
}

// --- the call

// Carries candidates of one end to the other, once that knows whom it speaks to.
function carry(from, to) {
    const waiting = [];
    from.addEventListener("icecandidate", ({ candidate }) => {
        if (candidate !== null && to.remoteDescription === null) {
            waiting.push(candidate);
        } else if (candidate !== null) {
            to.addIceCandidate(candidate);
        }
    });
    return () => waiting.splice(0).forEach((candidate) => to.addIceCandidate(candidate));
}

function explain(errors) {
    if (errors.has(401)) {
        return "The relay refuses this page's credential. Load the page again.";
    }
    return "No way through the relay was found. The browser asks it at an address of this machine " +
        "that its network gives it: without any network, or with a firewall in between, that " +
        "fails. The relay's log says what it has seen.";
}

async function connect(media) {
    const response = await fetch("credentials", { method: "POST" }).catch(() => null);
    if (response === null) {
        throw new Error("The relay does not answer. Is it still running?");
    }
    if (!response.ok) {
        throw new Error(`The relay gives no credential: ${await response.text()}`);
    }
    const { iceServers } = await response.json();
    const options = { iceServers, iceTransportPolicy: "relay", bundlePolicy: "max-bundle" };
    const caller = new RTCPeerConnection(options);
    const callee = new RTCPeerConnection(options);
    const errors = new Set();
    const made = { media, caller, callee, errors, server: iceServers[0].urls[0], last: null };
    const flushes = [carry(caller, callee), carry(callee, caller)];
    for (const end of [caller, callee]) {
        end.addEventListener("icecandidateerror", (event) => errors.add(event.errorCode));
    }
    callee.addEventListener("track", ({ streams }) => { element("far").srcObject = streams[0]; });
    for (const track of media.stream.getTracks()) {
        caller.addTrack(track, media.stream);
    }
    await caller.setLocalDescription();
    await callee.setRemoteDescription(caller.localDescription);
    await callee.setLocalDescription();
    await caller.setRemoteDescription(callee.localDescription);
    flushes.forEach((flush) => flush());
    return made;
}

function show(state, words) {
    document.body.dataset.state = state;
    element("state").textContent = words;
}

function complain(words) {
    element("trouble").textContent = words;
    element("trouble").hidden = false;
    show("trouble", "No call");
}

function hangUp() {
    if (call === null) {
        return;
    }
    clearInterval(call.timer);
    clearTimeout(call.deadline);
    call.caller.close();
    call.callee.close();
    call.media.stream.getTracks().forEach((track) => track.stop());
    call.media.stop();
    call = null;
    element("far").srcObject = null;
    element("near").srcObject = null;
    element("way").textContent = "waits for a call";
    show("idle", "Ready");
    element("call-drawn").focus();
}

function fail(words) {
    hangUp();
    complain(words);
}

async function start(wish) {
    element("trouble").hidden = true;
    show("connecting", "Connecting");
    let media = null;
    try {
        media = await wish();
        element("near").srcObject = media.stream;
        call = await connect(media);
    } catch (error) {
        media?.stream.getTracks().forEach((track) => track.stop());
        media?.stop();
        complain(error.message);
        return;
    }
    samples.length = 0;
    call.deadline = setTimeout(() => fail(explain(call.errors)), CONNECT_MS);
    call.callee.addEventListener("connectionstatechange", () => {
        if (call?.callee.connectionState === "connected") {
            clearTimeout(call.deadline);
            show("live", "In a call");
            element("end").focus();
        } else if (call?.callee.connectionState === "failed") {
            fail(explain(call.errors));
        }
    });
    call.timer = setInterval(look, PERIOD_MS);
}

// --- the figures

function selectedPair(stats) {
    const all = [...stats.values()];
    const transport = all.find((one) => one.type === "transport");
    return stats.get(transport?.selectedCandidatePairId) ??
        all.find((one) => one.type === "candidate-pair" && one.nominated);
}

// What the browser knows of the call, as plain data; null until it is connected.
async function measure() {
    if (call === null) {
        return null;
    }
    const [sent, got] = await Promise.all([call.caller.getStats(), call.callee.getStats()]);
    const pair = selectedPair(sent);
    const inbound = [...got.values()].filter((one) => one.type === "inbound-rtp");
    const video = inbound.find((one) => one.kind === "video");
    if (pair === undefined || video === undefined) {
        return null;
    }
    const sum = (name) => inbound.reduce((all, one) => all + (one[name] ?? 0), 0);
    return {
        at: video.timestamp,
        local: sent.get(pair.localCandidateId),
        remote: sent.get(pair.remoteCandidateId),
        rtt: pair.currentRoundTripTime,
        bytes: sum("bytesReceived"),
        packets: sum("packetsReceived"),
        lost: sum("packetsLost"),
        jitter: video.jitter,
        frames: video.framesDecoded ?? 0,
        width: video.frameWidth,
        height: video.frameHeight,
        codec: got.get(video.codecId)?.mimeType?.replace("video/", "") ?? "",
    };
}

async function relayFigures() {
    return (await fetch("figures")).json();
}

function rateOf(now, last, value, scale = 1) {
    const seconds = (now.at - last.at) / 1000;
    return seconds > 0 ? (value(now) - value(last)) / seconds / scale : 0;
}

function place(candidate) {
    return `${candidate.address ?? candidate.ip}:${candidate.port}`;
}

function showBrowser(now, last) {
    const rate = rateOf(now, last, (one) => one.bytes, 125000);
    const rtt = (now.rtt ?? 0) * 1000;
    element("rtt").textContent = rtt.toFixed(1);
    element("rate").textContent = rate.toFixed(2);
    element("fps").textContent = Math.round(rateOf(now, last, (one) => one.frames));
    element("size").textContent = now.width ? `${now.width} × ${now.height}` : "no picture yet";
    element("lost").textContent = now.lost;
    element("received").textContent = `of ${(now.packets + now.lost).toLocaleString("en")}`;
    element("jitter").textContent = (now.jitter * 1000).toFixed(1);
    element("pair").textContent = `${now.local.candidateType} → ${now.remote.candidateType}`;
    element("codec").textContent = `${now.codec} over ${now.local.protocol.toUpperCase()}`;
    element("sender").textContent = place(now.local);
    element("receiver").textContent = place(now.remote);
    element("server").textContent = call.server.replace(/^turn:|\?.*$/g, "");
    samples.push({ rate, rtt });
    samples.splice(0, samples.length - SAMPLES);
}

// Nobody else uses the relay of a demo, so that its packets are those of the call.
function showRelay(now, last) {
    const sockets = rateOf(now, last, (one) => one.sockets.packets);
    const kernel = rateOf(now, last, (one) => one.kernel.packets);
    element("sockets").textContent = Math.round(sockets).toLocaleString("en");
    element("kernel").textContent = Math.round(kernel).toLocaleString("en");
    if (document.body.dataset.state === "live" && sockets + kernel > 0) {
        element("way").textContent = kernel > sockets ? "relays in the kernel (XDP)"
                                                      : "relays by its sockets";
    }
    element("version").textContent = now.version;
    element("allocations").textContent = now.allocations;
    element("channels").textContent = now.channels;
}

async function look() {
    const looking = call;
    try {
        const [browser, relay] = await Promise.all([measure(), relayFigures()]);
        if (call !== looking || call === null) {
            return;
        }
        const last = call.last;
        relay.at = performance.now();
        if (browser !== null && last?.browser) {
            showBrowser(browser, last.browser);
            graph();
        }
        if (last?.relay) {
            showRelay(relay, last.relay);
        }
        call.last = { browser, relay };
    } catch {
        // The relay has ended or does not answer now; the call says for itself how it is.
    }
}

// A round number at or above the largest.
function ceiling(values, least) {
    const largest = Math.max(least, ...values);
    const power = 10 ** Math.floor(Math.log10(largest));
    return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= largest);
}

function trace(context, values, top, box, colour, isFilled) {
    const x = (index) => box.left + box.width * (index + SAMPLES - values.length) / (SAMPLES - 1);
    const y = (value) => box.top + box.height * (1 - Math.min(value / top, 1));
    context.beginPath();
    values.forEach((value, index) => context.lineTo(x(index), y(value)));
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.stroke();
    if (isFilled && values.length > 0) {
        context.lineTo(x(values.length - 1), box.top + box.height);
        context.lineTo(x(0), box.top + box.height);
        context.globalAlpha = 0.14;
        context.fillStyle = colour;
        context.fill();
        context.globalAlpha = 1;
    }
}

function graph() {
    const canvas = element("graph");
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    const box = { left: 44, top: 8, width: width - 88, height: height - 28 };
    const rates = samples.map((one) => one.rate);
    const rtts = samples.map((one) => one.rtt);
    const topRate = ceiling(rates, 1);
    const topRtt = ceiling(rtts, 5);
    context.font = "12px system-ui, sans-serif";
    context.textBaseline = "middle";
    for (const part of [0, 0.5, 1]) {
        const y = box.top + box.height * (1 - part);
        context.strokeStyle = colour("--edge");
        context.lineWidth = 1;
        context.beginPath();
        context.moveTo(box.left, y);
        context.lineTo(box.left + box.width, y);
        context.stroke();
        context.textAlign = "right";
        context.fillStyle = colour("--sea");
        context.fillText(String(topRate * part), box.left - 8, y);
        context.textAlign = "left";
        context.fillStyle = colour("--brass");
        context.fillText(String(topRtt * part), box.left + box.width + 8, y);
    }
    context.fillStyle = colour("--quiet");
    context.fillText("a minute ago", box.left, height - 7);
    context.textAlign = "right";
    context.fillText("now", box.left + box.width, height - 7);
    trace(context, rates, topRate, box, colour("--sea"), true);
    trace(context, rtts, topRtt, box, colour("--brass"), false);
    if (samples.length === 0) {
        return;
    }
    canvas.setAttribute("aria-label",
        `Received ${rates.at(-1).toFixed(1)} megabits a second, ` +
        `round trip ${rtts.at(-1).toFixed(1)} milliseconds`);
}

element("call-camera").addEventListener("click", () => start(cameraStream));
element("call-drawn").addEventListener("click", () => start(async () => drawnStream()));
element("end").addEventListener("click", hangUp);
element("sound").addEventListener("click", (event) => {
    const isHeard = element("far").muted;
    element("far").muted = !isHeard;
    event.currentTarget.setAttribute("aria-pressed", String(isHeard));
});
window.addEventListener("pagehide", hangUp);
window.addEventListener("resize", graph);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", graph);
graph();
relayFigures().then((figures) => { element("version").textContent = figures.version; }, () => {});
