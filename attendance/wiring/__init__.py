"""Everything, put together: read `opening` from top to bottom and you know the architecture.

`open_service` builds all parts in one context manager; `run_service` lets them work until a signal asks them to stop.
"""

from attendance.wiring.opening import open_service
from attendance.wiring.service import Role, Service, run_service

__all__ = ["Role", "Service", "open_service", "run_service"]
