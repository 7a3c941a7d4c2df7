"""The command around its subcommands: start, options, errors, interruption, exit."""
