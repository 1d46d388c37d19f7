"""From observations and commands to journalled trace lines, and from the fold's outcome to rows. Pure."""
