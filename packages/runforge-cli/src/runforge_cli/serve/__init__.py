"""``runforge serve``: a warm server for editors and programs, JSON-RPC 2.0 on standard streams."""
