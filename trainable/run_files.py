"""Names of the files that a search writes into its run folder for all others to read."""

RECORD_FILE = "run.json"
SPACE_FILE = "space.py"
SPLIT_FILE = "split.csv"
