"""A local Discord: REST v10 and gateway v10, guilds with people in voice, and faults on demand.

It speaks the real protocol to unpatched clients, for the demo, the tests and the benchmarks. It knows nothing of Rollcall
and imports nothing of it::

    async with running_simulator(Settings(speed=0)) as sim:
        bot = hikari.GatewayBot(sim.token, rest_url=sim.rest_url, ...)
        sim.world.join(DEMO_GUILD_ID, DEMO_ADMIN_ID, channel_id)
        sim.fault("drop")
"""

from simulator.demo_ids import DEMO_ADMIN_ID, DEMO_GUILD_ID, DEMO_MEMBER_ID
from simulator.server import Simulator, running_simulator, serve
from simulator.settings import DEFAULT_BOT_ID, DEFAULT_CLIENT_SECRET, Settings

__all__ = [
    "DEFAULT_BOT_ID",
    "DEFAULT_CLIENT_SECRET",
    "DEMO_ADMIN_ID",
    "DEMO_GUILD_ID",
    "DEMO_MEMBER_ID",
    "Settings",
    "Simulator",
    "running_simulator",
    "serve",
]
