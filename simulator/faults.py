"""Faults that wait for their moment: what the gateway and REST look at before they answer."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class RestFault:
    """The next ``remaining`` requests on a route fail.

    Attributes:
        route: `METHOD /path/{template}`, `*` for every route; the templates are those of `simulator.rest`.
        status: 429, a 5xx, or 0: the connection is cut without an answer.
        remaining: how many more requests fail.
        retry_after_s: seconds that a 429 tells to wait.
        scope: `user`, `global` or `shared`, for a 429.
        done: the request is carried out all the same, and only its answer is lost.
    """

    route: str
    status: int
    remaining: int
    retry_after_s: float = 0.1
    scope: str = "user"
    done: bool = False


@dataclass(slots=True)
class Faults:
    """What is wrong at present. Counters say how many more times; nothing is wrong by default."""

    silent_hellos: int = 0
    silent_readies: int = 0
    refused_upgrades: int = 0
    refused_resumes: int = 0
    heartbeats_acked: bool = True
    rest: list[RestFault] = field(default_factory=list)

    def take(self, counter: str) -> bool:
        """Use up one of a counter (by attribute name); return whether there was one."""
        left: int = getattr(self, counter)
        if left > 0:
            setattr(self, counter, left - 1)
        return left > 0

    def take_rest(self, route: str) -> RestFault | None:
        """Return the fault that this request meets, if any, and use it up."""
        for fault in self.rest:
            if fault.route in {"*", route} and fault.remaining > 0:
                fault.remaining -= 1
                if fault.remaining == 0:
                    self.rest.remove(fault)
                return fault
        return None
