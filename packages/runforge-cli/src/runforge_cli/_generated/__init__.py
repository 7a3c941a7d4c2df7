# Generated from schemas/ by scripts/generate.py; edit the schema, then run `make generate`.
#   filename:  schemas
