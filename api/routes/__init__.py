"""One module a noun; each has ``ROUTES``, and `api.app.ROUTE_MODULES` lists the modules."""

GUILD = "/api/v1/guilds/{guild_id:str}"
