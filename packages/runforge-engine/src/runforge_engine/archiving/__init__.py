"""Archives: runs put away into a store of their own, in a folder or in one file, and back."""
