"""What the end-to-end tests are made of: a real holdfast, scripted origins, a strict client, a load generator.

    proxy.py            starts holdfast on a file, waits for what it says of itself, reloads and stops it
    origins.py          origin servers that do what a test tells them, and remember every byte they got
    origin_process.py   the same in a process of its own, which can be killed and frozen
    wire.py             a client that sends bytes as they are and reads one response strictly
    nginx.py            a real nginx as an origin
    load.py             a constant rate of requests that never retries

Nothing here sleeps to be lucky: whoever waits, waits for a byte, a line or an exit. Every port is one the kernel chose.
"""
