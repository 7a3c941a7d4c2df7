"""Reading and writing files and folders with care."""
