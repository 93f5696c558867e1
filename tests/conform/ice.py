# SPDX-License-Identifier: Apache-2.0
"""Two agents of aioice that use nothing but a relay. The import fails where aioice is not."""
import asyncio

from aioice import Candidate, Connection


async def agent(is_controlling, server):
    """One that has gathered its candidates, with sockets of the network that one is in."""
    made = Connection(ice_controlling=is_controlling, components=1, stun_server=None,
                      turn_server=server, turn_username="alice", turn_password="wonder",
                      use_ipv6=False)
    await made.gather_candidates()
    return made


async def meet(agents):
    """Each learns of the other's relayed candidate alone; returns when they are connected."""
    for one, other in (agents, agents[::-1]):
        relayed, = (known for known in other.local_candidates if known.type == "relay")
        await one.add_remote_candidate(Candidate.from_sdp(relayed.to_sdp()))
        await one.add_remote_candidate(None)
        one.remote_username = other.local_username
        one.remote_password = other.local_password
    await asyncio.gather(*(one.connect() for one in agents))
