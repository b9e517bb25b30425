"""Keeps a file and gives it back, with whatever supervisor runs.  files.py STATE-FOLDER FILE COPY"""
import sys

import tandem

state_dir, source, copy = sys.argv[1:]
with tandem.Client(state_dir) as client, open(source, "rb") as file, open(copy, "wb") as out:
    kept = client.put_blob(file)
    print(kept["hash"], kept["size"])
    for piece in client.get_blob(kept["hash"]):
        out.write(piece)
