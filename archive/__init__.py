"""The archive. What is written here holds for every process of it, before anything else is loaded."""

import os

# A page's arrays are small: on two cores, the threads that numpy starts for them took four times the time they share.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
