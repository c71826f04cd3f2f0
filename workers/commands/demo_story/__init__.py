"""The story of the demo: one file per act, and the people and tools that act in it."""
