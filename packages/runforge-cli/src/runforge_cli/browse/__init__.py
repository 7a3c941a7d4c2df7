"""The store on a whole terminal, to look around in; nothing here writes to it."""
