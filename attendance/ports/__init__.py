"""What the services need from the world, named for the need. Adapters live in store, discord, keys and clock."""
