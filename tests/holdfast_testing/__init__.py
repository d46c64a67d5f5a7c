"""What the end-to-end tests are made of: a real holdfast, scripted origins, a strict client, a load generator.

    proxy.py            starts holdfast on a file, waits for what it says of itself, reloads and stops it
    origins.py          origin servers that do what a test tells them, and remember every byte they got
    origin_process.py   the same in a process of its own, which can be killed and frozen
    recorder.py         an origin that understands nothing, keeps every byte and answers 200
    canonical.py        whether what an origin received can be read in one way only
    strict_rows.py      messages that can be read in two ways, and good ones; vectors.py has those of others
    wire.py             a client that sends bytes as they are and reads one response strictly
    nginx.py            a real nginx as an origin
    load.py             a constant rate of requests that never retries

Nothing here sleeps to be lucky: whoever waits, waits for a byte, a line or an exit. Every port is one the kernel chose.
"""
