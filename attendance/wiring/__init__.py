"""Everything, put together: read `opening` from top to bottom and you know the architecture.

`opening.open_service` builds all parts in one context manager; `service.run_service` lets them work until a signal asks them to
stop. Nothing is imported here: a command that only names a `roles.Role` must not wait for every part.
"""
