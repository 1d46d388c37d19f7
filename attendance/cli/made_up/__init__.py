"""History for the demo, made up by the simulator and recorded by the code that records Discord: `rollcall demo-history`.

* `decisions`: what the demo's people ask of Rollcall in those weeks
* `reading`: the simulated past, through the gateway's own reader, to the owner of the guilds
* `making`: all of it put together, from an empty database to signed records in a published log
"""
