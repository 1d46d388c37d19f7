"""The HTTP API: Litestar over the services."""
