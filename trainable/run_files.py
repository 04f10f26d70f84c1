"""Names of what a search leaves in its run folder for all to read."""

RECORD_FILE = "run.json"
SPACE_FILE = "space.py"
SPLIT_FILE = "split.csv"
ENSEMBLE_FOLDER = "ensemble"
REPORT_FILE = "report.html"
EVENTS_FILE = "events.jsonl"
