"""Every component and chart of the dashboard on one page, for tests and for eyes: `python -m tests.gallery` serves it."""
