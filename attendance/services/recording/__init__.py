"""The guild's owner at work: observations in, journal commits, the fold, projections, checkpoints.

* `inlet`: the ordered queue from the gateway's thread
* `journalling`: observations and commands to journal commits
* `durable`: the queue of committed lines
* `projecting`: committed lines through the engine to sessions and sums
* `starting`: checkpoint plus journal plus the blind line of a restart, by the same code as normal running
* `rehearsal`: the same parts in a time that is not the present, for made-up history
* `recorder`: the loops around them, leases, checkpoints, trimming
"""
