"""Pages: one module an area. Handlers ask the API and render a template; each module lists its handlers in ``ROUTES``."""
