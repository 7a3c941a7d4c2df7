"""From a request to a recorded run: plan, execute, write, cancel."""
