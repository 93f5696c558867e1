#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The relay told to end while it has clients: it drains, within bounds that nothing breaks."""
import signal
import time

import case
import stun
from hanging import hang
from sandbox import PATIENCE_S

DRAINING = {"FAIRLEAD_DRAIN_TIMEOUT": "1000"}  # far longer than any test waits for its end
REFUSED = "^request refused"


class Drain(case.Case):
    def drain(self, one):
        one.process.send_signal(signal.SIGTERM)
        one.wait_for_log("INFO draining: .* allocations=")

    def test_without_an_allocation_it_ends_at_once(self):
        one = self.relay(environment=DRAINING)
        self.client(one).allocate().free()
        one.wait_for_log("allocation ended")
        one.stop()

    def test_a_call_goes_on_and_a_new_one_is_refused(self):
        one = self.relay("--allow-peer", "127.0.0.1", environment=DRAINING, announced=[REFUSED])
        alice, late, peer = self.client(one).allocate(), self.client(one).challenge(), self.peer()
        alice.bind(0x4000, peer.getsockname())
        self.drain(one)
        late.expect(508, stun.ALLOCATE, [(stun.REQUESTED_TRANSPORT, stun.UDP)])
        alice.refresh()
        for number in range(20):
            alice.send_channel(0x4000, b"%d" % number)
            self.assertEqual(peer.recvfrom(100), (b"%d" % number, alice.relayed))
        self.assertTrue(one.answers(one.hosts[0]))
        one.wait_for_log('reason="the relay ends as soon as its last allocation does"')
        self.assertIsNone(one.process.poll())
        alice.free()
        self.assertEqual(one.process.wait(PATIENCE_S), 0)
        self.assertIn("INFO ending, since the last allocation has ended", one.log())

    def test_the_second_signal_ends_it(self):
        one = self.relay(environment=DRAINING)
        self.client(one).allocate()
        self.drain(one)
        time.sleep(0.3)
        self.assertIsNone(one.process.poll())
        one.stop(signal.SIGINT)

    def test_the_timeout_ends_it(self):
        one = self.relay("--drain-timeout", "1")
        self.client(one).allocate()
        start = time.monotonic()
        self.drain(one)
        self.assertEqual(one.process.wait(PATIENCE_S), 0)
        self.assertGreaterEqual(time.monotonic() - start, 1)
        self.assertIn("INFO ending, since --drain-timeout is over allocations=1", one.log())

    def test_a_worker_that_hangs_does_not_hold_it_up(self):
        case.needs_root()
        one = self.relay("--num-worker-threads", "2", environment=DRAINING)
        hang(self, one.process.pid)
        one.process.send_signal(signal.SIGTERM)
        self.assertEqual(one.process.wait(PATIENCE_S), 1)
        self.assertEqual(one.errors(), "fairlead-relay: a thread does not stop; "
                                       "ending without waiting for it\n")
        one.is_judged = True


if __name__ == "__main__":
    case.main()
