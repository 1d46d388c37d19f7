"""How the schema got to where it is: a step a file in ``versions``, forward only. Run by `attendance.store.migrate`."""
