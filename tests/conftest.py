"""One thread for every test process: threads that wait for each other cost ten times as much."""

import os

# OpenMP reads them once, when torch is first imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
