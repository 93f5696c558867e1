// SPDX-License-Identifier: Apache-2.0
// One end of a data channel, run in a page by chromium_test.py, which carries the descriptions.
"use strict";

let connection, channel, sending;
const arrived = [];
const states = []; // of the connection, one after the other
const errors = []; // codes of candidates that were refused

function open(one) {
    channel = one;
    channel.onmessage = (event) => arrived.push(event.data);
}

function start(server) {
    connection = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: "relay" });
    connection.onconnectionstatechange = () => states.push(connection.connectionState);
    connection.onicecandidateerror = (event) => errors.push(event.errorCode);
    connection.ondatachannel = (event) => open(event.channel);
}

// The local description with all its candidates.
async function describe(description) {
    await connection.setLocalDescription(description);
    while (connection.iceGatheringState !== "complete") {
        await new Promise((resolve) =>
            connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
    }
    return connection.localDescription.toJSON();
}

async function offer(server) {
    start(server);
    open(connection.createDataChannel("test"));
    return describe(await connection.createOffer());
}

async function answer(server, theirs) {
    start(server);
    await connection.setRemoteDescription(theirs);
    return describe(await connection.createAnswer());
}

async function accept(theirs) {
    await connection.setRemoteDescription(theirs);
}

async function until(condition, seconds) {
    const end = performance.now() + seconds * 1000;
    while (!condition()) {
        if (performance.now() > end) {
            return false;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return true;
}

async function isOpen(seconds) {
    return until(() => channel !== undefined && channel.readyState === "open", seconds);
}

// Must make the texts of chromium_test.py.
function text(name, number) {
    return `${name} ${number} `.padEnd(20 + number * 7 % 1500, "x");
}

// Begins to send; nothing waits for what the other end does.
function send(name, count) {
    sending = (async () => {
        for (let number = 0; number < count; number++) {
            channel.send(text(name, number));
            if (number % 10 === 9) {
                await new Promise((resolve) => setTimeout(resolve));
            }
        }
    })();
}

// All that has arrived, as soon as that is `count` texts.
async function receive(count, seconds) {
    await sending;
    await until(() => arrived.length >= count, seconds);
    return arrived;
}

// The selected pair of candidates, and all that there are.
async function selected() {
    const stats = await connection.getStats();
    const of = (type) => [...stats.values()].filter((one) => one.type === type);
    const pair = stats.get(of("transport")[0].selectedCandidatePairId);
    return {
        state: pair.state,
        bytesSent: pair.bytesSent,
        bytesReceived: pair.bytesReceived,
        local: stats.get(pair.localCandidateId),
        remote: stats.get(pair.remoteCandidateId),
        candidates: [...of("local-candidate"), ...of("remote-candidate")],
    };
}

function story() {
    return { states, errors, description: connection.localDescription };
}

function finish() {
    connection.close();
}
