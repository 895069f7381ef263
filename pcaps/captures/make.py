#!/usr/bin/env python3
"""Makes the captures beside this script, the same bytes at each run, and MANIFEST.tsv.

    pip install -r requirements.txt
    ./make.py [FOLDER]

Each module holds one capture; its SHOWS is what the manifest says of it.
"""

import hashlib
import pathlib
import sys

sys.dont_write_bytecode = True

import gtpc
import hostile
import mixed
import n2
import n3
import n4
import pieces
import procedures

CAPTURES = {"n2.pcap": n2, "n3.pcap": n3, "n4.pcap": n4, "gtpc.pcap": gtpc, "mixed.pcapng": mixed, "hostile.pcap": hostile,
            "n2-procedures.pcap": procedures.NGAP, "s1-procedures.pcap": procedures.S1AP, "pieces.pcap": pieces}


def main(folder):
    lines = ["file\tbytes\tsha256\tmade by\tframes\twhat it shows"]
    for name, module in CAPTURES.items():
        recording = module.record()
        recording.write(folder / name)
        made = (folder / name).read_bytes()
        lines.append("\t".join([
            name, str(len(made)), hashlib.sha256(made).hexdigest(),
            f"make.py ({module.__name__}.py)", str(len(recording.frames)), " ".join(module.SHOWS.split())]))
    (folder / "MANIFEST.tsv").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    here = pathlib.Path(__file__).resolve().parent
    main(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here)
