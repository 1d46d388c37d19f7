"""Discord adapters: the gateway (hikari), REST lookups. The only package that imports hikari."""
