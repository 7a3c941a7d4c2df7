"""Train a run again from its record alone, and compare the results.

Source: specification, section 14.7.
"""
