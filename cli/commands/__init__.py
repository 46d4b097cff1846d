"""One module for each command or group of commands; each has `command`. cli.main.COMMANDS names them."""
