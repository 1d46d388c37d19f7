"""Where keys and secrets come from: passphrases, the master key, the API's shared secret."""
