"""What training takes from a click log, made with pandas: item indices by first appearance, events by session and time,
where each session begins, how often each item occurs. Prints seconds, peak memory and counts as JSON.

    python3 pandas-steps.py clicks.tsv
"""
import json
import resource
import sys
import time

import numpy as np
import pandas as pd

start = time.perf_counter()
clicks = pd.read_csv(sys.argv[1], sep="\t")
clicks["item"], ids = pd.factorize(clicks["ItemId"])
clicks.sort_values(["SessionId", "Time"], inplace=True)
sizes = clicks.groupby("SessionId").size().to_numpy()
offsets = np.concatenate([[0], np.cumsum(sizes)])
items = clicks["item"].to_numpy(np.int32)
support = np.bincount(items, minlength=len(ids))
start_times = clicks["Time"].to_numpy()[offsets[:-1]]
order = np.argsort(start_times, kind="stable")
seconds = time.perf_counter() - start
assert support.sum() == offsets[-1] == len(items) and len(order) == len(sizes)
print(json.dumps({
    "seconds": seconds,
    "peakBytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "events": len(items),
    "sessions": len(sizes),
    "items": len(ids),
}))
