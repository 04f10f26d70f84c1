"""The range of seeds."""

# What every generator takes: numpy's legacy one, which libraries seed, stops here.
LARGEST_SEED = 2**32 - 1
