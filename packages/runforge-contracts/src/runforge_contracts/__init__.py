"""The RunForge contract: schemas, generated types and the rules every client shares."""
