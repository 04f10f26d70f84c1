"""Pictures of what a trial gets right and wrong."""
