"""Rows of strictness: messages that could be read in two ways, and what they look like when they are right.

By section of RFC 9112 and RFC 9110. A clone needs nothing else to test the essence (tests/test_strictness.py); the
limits are the defaults of docs/configuration.md.
"""


def get(*lines: bytes, start: bytes = b"GET / HTTP/1.1", host: bytes | None = b"Host: test") -> bytes:
    return b"\r\n".join([start, *([host] if host else []), *lines, b"", b""])


def post(*lines: bytes, body: bytes = b"", start: bytes = b"POST / HTTP/1.1") -> bytes:
    return get(*lines, start=start) + body


def chunked(body: bytes) -> bytes:
    return post(b"Transfer-Encoding: chunked", body=body)


def sized(value: bytes, body: bytes = b"hello") -> bytes:
    return post(b"Content-Length: " + value, body=body)


def coded(*values: bytes, more: tuple = (), body: bytes = b"0\r\n\r\n", start: bytes = b"POST / HTTP/1.1") -> bytes:
    return post(*[b"Transfer-Encoding: " + value for value in values], *more, body=body, start=start)


def hosted(value: bytes) -> bytes:
    return get(host=b"Host: " + value)


def version(text: bytes) -> bytes:
    return get(start=b"GET / " + text)


def target(text: bytes, method: bytes = b"GET", host: bytes = b"test") -> bytes:
    return get(start=method + b" " + text + b" HTTP/1.1", host=b"Host: " + host)


DONE = b"0\r\n\r\n"

REFUSED: dict[str, tuple] = {
    # RFC 9112 6.1, 6.3: which of two lengths
    "length and chunked": (400, post(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=DONE)),
    "chunked and length": (400, coded(b"chunked", more=(b"Content-Length: 5",))),
    "length and identity": (400, coded(b"identity", more=(b"Content-Length: 5",))),
    "lengths 5 and 6": (400, post(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!")),
    "lengths 5 and 5": (400, post(b"Content-Length: 5", b"Content-Length: 5", body=b"hello")),
    "length 5, 5": (400, sized(b"5, 5")),
    "length 5, 10": (400, sized(b"5, 10")),
    "length 5 in another spelling twice": (400, post(b"Content-Length: 5", b"cOnTeNt-lEnGtH: 5", body=b"hello")),
    # RFC 9110 8.6: 1*DIGIT
    "length +5": (400, sized(b"+5")),
    "length -1": (400, sized(b"-1")),
    "length -0": (400, sized(b"-0", b"")),
    "length 0x5": (400, sized(b"0x5")),
    "length 1_0": (400, sized(b"1_0", b"helloworld")),
    "length 5.0": (400, sized(b"5.0")),
    "length 5e0": (400, sized(b"5e0")),
    "length 5 5": (400, sized(b"5 5")),
    "length 5;": (400, sized(b"5;")),
    'length "5"': (400, sized(b'"5"')),
    "no length": (400, sized(b"")),
    "length of a vertical tab": (400, sized(b"5\x0b")),
    "length of an 8-bit digit": (400, sized(b"\xb2")),
    "length 2^63": (400, sized(b"9223372036854775808")),
    "length 2^64 + 5": (400, sized(b"18446744073709551621")),
    "length 10^40": (400, sized(b"1" + b"0" * 40)),
    # RFC 9112 6.1, 7: chunked, last and once
    "coding identity": (400, coded(b"identity")),
    "coding gzip": (400, coded(b"gzip")),
    "coding xchunked": (400, coded(b"xchunked")),
    "coding chunkedx": (400, coded(b"chunkedx")),
    "coding chunked, gzip": (400, coded(b"chunked, gzip")),
    "coding chunked, identity": (400, coded(b"chunked, identity")),
    "coding chunked, chunked": (400, coded(b"chunked, chunked")),
    "coding chunked twice": (400, coded(b"chunked", b"chunked")),
    "coding chunked then identity": (400, coded(b"chunked", b"identity")),
    "coding identity then chunked": (400, coded(b"identity", b"chunked")),
    "coding gzip, chunked": (501, coded(b"gzip, chunked")),
    "coding ,chunked": (400, coded(b",chunked")),
    "coding chunked,": (400, coded(b"chunked,")),
    "coding \"chunked\"": (400, coded(b'"chunked"')),
    "coding chunked;a=b": (400, coded(b"chunked;a=b")),
    "coding with a vertical tab": (400, coded(b"chunked\x0b")),
    "coding with a form feed": (400, coded(b"\x0cchunked")),
    "coding with NUL": (400, coded(b"chunked\x00")),
    "coding with a no-break space": (400, coded(b"\xa0chunked")),
    "no coding": (400, coded(b"")),
    "chunked in 1.0": (400, coded(b"chunked", start=b"POST / HTTP/1.0")),
    # RFC 9112 7.1: chunks
    "no chunk size": (400, chunked(b"\r\nhello\r\n" + DONE)),
    "chunk size 0x5": (400, chunked(b"0x5\r\nhello\r\n" + DONE)),
    "chunk size 5_": (400, chunked(b"5_\r\nhello\r\n" + DONE)),
    "chunk size +5": (400, chunked(b"+5\r\nhello\r\n" + DONE)),
    "chunk size -5": (400, chunked(b"-5\r\nhello\r\n" + DONE)),
    "chunk size with a space before": (400, chunked(b" 5\r\nhello\r\n" + DONE)),
    "chunk size with a space behind": (400, chunked(b"5 \r\nhello\r\n" + DONE)),
    "chunk size with a tab behind": (400, chunked(b"5\t\r\nhello\r\n" + DONE)),
    "chunk size of 17 digits": (400, chunked(b"0" * 16 + b"5\r\nhello\r\n" + DONE)),
    "chunk size 2^64 - 1": (400, chunked(b"f" * 16 + b"\r\nhello\r\n" + DONE)),
    "chunk size 2^64 + 5": (400, chunked(b"10000000000000005\r\nhello\r\n" + DONE)),
    "chunk size 5, LF": (400, chunked(b"5\nhello\r\n" + DONE)),
    "chunk size 5, CR": (400, chunked(b"5\rhello\r\n" + DONE)),
    "chunk size 5, CR CR": (400, chunked(b"5\r\r\nhello\r\n" + DONE)),
    "chunk data, LF": (400, chunked(b"5\r\nhello\n" + DONE)),
    "chunk data without an end": (400, chunked(b"5\r\nhello" + DONE)),
    "chunk data longer than its size": (400, chunked(b"4\r\nhello\r\n" + DONE)),
    "chunk data shorter than its size": (400, chunked(b"6\r\nhello\r\n" + DONE)),
    "last chunk, LF": (400, chunked(b"5\r\nhello\r\n0\n\r\n")),
    "end of chunks, LF": (400, chunked(b"5\r\nhello\r\n0\r\n\n")),
    "no last chunk": (400, chunked(b"5\r\nhello\r\n\r\n")),
    # RFC 9112 7.1.1: extensions
    "extension without a name": (400, chunked(b"5;\r\nhello\r\n" + DONE)),
    "extension with a space": (400, chunked(b"5; a\r\nhello\r\n" + DONE)),
    "extension with LF": (400, chunked(b"5;a\nhello\r\n" + DONE)),
    "extension with CR": (400, chunked(b"5;a\rb\r\nhello\r\n" + DONE)),
    "extension with NUL": (400, chunked(b"5;a=\x00\r\nhello\r\n" + DONE)),
    "extension with an open quote": (400, chunked(b'5;a="b\r\nhello\r\n' + DONE)),
    "extension with LF in quotes": (400, chunked(b'5;a="\n"\r\nhello\r\n' + DONE)),
    "extension of 257 bytes": (400, chunked(b"5;" + b"x" * 256 + b"\r\nhello\r\n" + DONE)),
    "extension of 64 KiB": (400, chunked(b"5;" + b"x" * 65536 + b"\r\nhello\r\n" + DONE)),
    "extensions of more than 4 KiB": (400, chunked((b"1;" + b"x" * 250 + b"\r\na\r\n") * 17 + DONE)),
    # RFC 9112 7.1.2: trailers
    "trailer with LF": (400, chunked(b"0\r\nX-A: 1\n\r\n")),
    "trailer with CR": (400, chunked(b"0\r\nX-A: 1\rX-B: 2\r\n\r\n")),
    "trailer with NUL": (400, chunked(b"0\r\nX-A: \x00\r\n\r\n")),
    "trailer without a colon": (400, chunked(b"0\r\nX-A\r\n\r\n")),
    "trailer with a space before the colon": (400, chunked(b"0\r\nX-A : 1\r\n\r\n")),
    "trailer that is folded": (400, chunked(b"0\r\nX-A: 1\r\n 2\r\n\r\n")),
    "trailers of more than 8 KiB": (400, chunked(b"0\r\n" + (b"X-A: " + b"x" * 1000 + b"\r\n") * 9 + b"\r\n")),
    # RFC 9112 5, RFC 9110 5: fields
    "space before the colon": (400, get(b"X-A : 1")),
    "tab before the colon": (400, get(b"X-A\t: 1")),
    "space before the colon of a length": (400, post(b"Content-Length : 5", body=b"hello")),
    "space before the colon of a coding": (400, post(b"Transfer-Encoding : chunked", body=DONE)),
    "space in a name": (400, get(b"X A: 1")),
    "no colon": (400, get(b"X-A")),
    "no name": (400, get(b": 1")),
    "parenthesis in a name": (400, get(b"X(A): 1")),
    "8 bits in a name": (400, get(b"X-\xc4: 1")),
    "NUL in a name": (400, get(b"X-\x00A: 1")),
    "CR in a name": (400, get(b"X-\rA: 1")),
    "CR for a hyphen": (400, post(b"Content\rLength: 5", body=b"hello")),
    "a folded line": (400, get(b"X-A: 1", b" 2")),
    "a line folded with a tab": (400, get(b"X-A: 1", b"\tTransfer-Encoding: chunked")),
    "a folded first line": (400, get(b" X-A: 1", host=None)),
    "CR in a value": (400, get(b"X-A: 1\r2")),
    "CR at the end of a value": (400, get(b"X-A: 1\r")),
    "NUL in a value": (400, get(b"X-A: 1\x002")),
    "DEL in a value": (400, get(b"X-A: 1\x7f2")),
    "ESC in a value": (400, get(b"X-A: \x1b[0m")),
    "form feed in a value": (400, get(b"X-A: \x0c")),
    "LF for CRLF": (400, b"GET / HTTP/1.1\nHost: test\n\n"),
    "LF behind a field": (400, get(b"X-A: 1\nX-B: 2")),
    "LF behind the last field": (400, b"GET / HTTP/1.1\r\nHost: test\n\r\n"),
    "LF for the empty line": (400, b"GET / HTTP/1.1\r\nHost: test\r\n\n"),
    "CR for the empty line": (400, b"GET / HTTP/1.1\r\nHost: test\r\n\rX"),
    "Connection names Content-Length": (400, post(b"Connection: Content-Length", b"Content-Length: 5", body=b"hello")),
    "Connection names Host": (400, get(b"Connection: close, host")),
    "Connection names Transfer-Encoding": (400, coded(b"chunked", more=(b"Connection: transfer-encoding",))),
    # RFC 9112 3.2: Host
    "no Host": (400, get(host=None)),
    "two Hosts": (400, get(b"Host: test")),
    "two Hosts in other spellings": (400, get(b"hOST: other")),
    "no Host, absolute-form": (400, get(start=b"GET http://test/ HTTP/1.1", host=None)),
    "Host with user": (400, hosted(b"user@test")),
    "Host with path": (400, hosted(b"test/x")),
    "Host with query": (400, hosted(b"test?x")),
    "Host with two names": (400, hosted(b"a,b")),
    "Host with a space": (400, hosted(b"a b")),
    "Host with port 80x": (400, hosted(b"test:80x")),
    "Host with port 0": (400, hosted(b"test:0")),
    "Host with port 65536": (400, hosted(b"test:65536")),
    "Host with two ports": (400, hosted(b"test:80:80")),
    "Host with a port alone": (400, hosted(b":80")),
    "Host with half an address": (400, hosted(b"[::1")),
    "Host with more behind an address": (400, hosted(b"[::1]x")),
    "Host with half a percent": (400, hosted(b"a%2")),
    "Host with 8 bits": (400, hosted(b"t\xe4st")),
    # RFC 9112 3.2.1 to 3.2.4: the four forms of a target
    "target and Host differ": (400, target(b"http://other/")),
    "target and Host differ in the port": (400, target(b"http://test:81/")),
    "target and Host differ, by the scheme": (400, target(b"https://test/", host=b"test:80")),
    "target has a host, Host is empty": (400, target(b"http://test/", host=b"")),
    "target with user": (400, target(b"http://user@test/")),
    "target without a host": (400, target(b"http:///x")),
    "target of another scheme": (400, target(b"ftp://test/")),
    "target without a slash": (400, target(b"admin")),
    "target ?": (400, target(b"?x")),
    "target * without OPTIONS": (400, target(b"*")),
    "target host:port without CONNECT": (400, target(b"test:80")),
    "CONNECT": (405, target(b"test:443", b"CONNECT", b"test:443")),
    "CONNECT without a port": (400, target(b"test", b"CONNECT")),
    "CONNECT with a path": (400, target(b"/", b"CONNECT")),
    "# in a target": (400, target(b"/a#b")),
    "8 bits in a target": (400, target(b"/\xe9")),
    "NUL in a target": (400, target(b"/\x00")),
    "DEL in a target": (400, target(b"/\x7f")),
    "CR in a target": (400, target(b"/\rX")),
    "LF in a target": (400, target(b"/\nX")),
    "tab in a target": (400, target(b"/\tX")),
    # RFC 9112 3, 2.3: the request line
    "two spaces before the target": (400, get(start=b"GET  / HTTP/1.1")),
    "two spaces behind the target": (400, get(start=b"GET /  HTTP/1.1")),
    "a space behind the version": (400, get(start=b"GET / HTTP/1.1 ")),
    "a space before the method": (400, get(start=b" GET / HTTP/1.1")),
    "a word more": (400, get(start=b"GET / x HTTP/1.1")),
    "a tab for a space": (400, get(start=b"GET\t/ HTTP/1.1")),
    "no version": (400, b"GET /\r\n\r\n"),
    "a method that is no token": (400, get(start=b"G(T / HTTP/1.1")),
    "no method": (400, b"/ HTTP/1.1\r\nHost: test\r\n\r\n"),
    "two empty lines before": (400, b"\r\n\r\n" + get()),
    "LF before": (400, b"\n" + get()),
    "version http/1.1": (400, version(b"http/1.1")),
    "version HTTP/1": (400, version(b"HTTP/1")),
    "version HTTP/1.10": (400, version(b"HTTP/1.10")),
    "version HTTP/01.1": (400, version(b"HTTP/01.1")),
    "version HTTP/0.9": (400, version(b"HTTP/0.9")),
    "version HTTP/1.1x": (400, version(b"HTTP/1.1x")),
    "version HTTP/2.0": (505, version(b"HTTP/2.0")),
    "version HTTP/3.0": (505, version(b"HTTP/3.0")),
    "the preface of HTTP/2": (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "a TLS hello": (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"x" * 100 + b"\r\n\r\n"),
    # RFC 9110 9.3.8, 10.1.1
    "TRACE": (405, target(b"/", b"TRACE")),
    "expectation of something else": (417, post(b"Expect: 200-ok", b"Content-Length: 5", body=b"hello")),
    "expectation y 100-continue": (417, post(b"Expect: y 100-continue", b"Content-Length: 5", body=b"hello")),
    "expectation 100-continue, x": (417, post(b"Expect: 100-continue, x", b"Content-Length: 5", body=b"hello")),
    "expectation twice": (417, post(b"Expect: 100-continue", b"Expect: 100-continue", b"Content-Length: 5", body=b"hello")),
    "no expectation": (417, post(b"Expect:", b"Content-Length: 5", body=b"hello")),
    # limits: 414, 431, 501
    "a method of 33 letters": (501, target(b"/", b"M" * 33)),
    "a target of 8193 bytes": (414, target(b"/" + b"x" * 8192)),
    "a field of 16385 bytes": (431, get(b"X-A: " + b"x" * (16385 - 5))),
    "101 fields": (431, get(*[b"X-A: 1"] * 100)),
    "33 connection options": (431, get(b"Connection: " + b",".join([b"x"] * 33))),
}


def body_is(body: bytes):
    return lambda seen: seen.body == body


def has(name: bytes, *values: bytes):
    return lambda seen: seen.values(name) == list(values)


def names_no(*names: bytes):
    return lambda seen: not any(seen.values(name) for name in names)


def targets(wanted: bytes, host: bytes = b"test"):
    return lambda seen: (seen.target, seen.values(b"host")) == (wanted, [host])


EXTENDED = b'5;a;b=c;d="e \\" f"\r\nhello\r\n' + b"00000\r\n\r\n"
LATE = [b"Content-Length: 5", b"Transfer-Encoding: chunked", b"Host: evil", b"Authorization: x", b"Cookie: a=b",
        b"X-Forwarded-For: 6.6.6.6", b"Connection: close", b"Content-Type: text/html"]

FORWARDED: dict[str, tuple] = {  # the bytes, and what must be true of what the origin saw
    "length 005": (sized(b"005"), lambda seen: seen.values(b"content-length") == [b"5"] and seen.body == b"hello"),
    "length with blanks around": (sized(b" \t5 \t "), body_is(b"hello")),
    "length 0": (sized(b"0", b""), has(b"content-length", b"0")),
    "Chunked": (coded(b"Chunked"), has(b"transfer-encoding", b"chunked")),
    "a chunk with extensions": (chunked(EXTENDED), body_is(b"hello")),
    "extensions of 256 bytes": (chunked(b"5;" + b"x" * 255 + b"\r\nhello\r\n" + DONE), body_is(b"hello")),
    "a chunk size of 16 digits": (chunked(b"0" * 15 + b"5\r\nhello\r\n" + DONE), body_is(b"hello")),
    "a chunk size in capitals": (chunked(b"A\r\nhelloworld\r\n" + DONE), body_is(b"helloworld")),
    "trailers": (chunked(b"0\r\nX-Sum:1\r\n\r\n"), has(b"trailer:x-sum", b"1")),
    "trailers that frame, route or authenticate": (
        chunked(b"0\r\n" + b"".join(line + b"\r\n" for line in LATE) + b"X-Sum: 1\r\n\r\n"),
        lambda seen: [name for name, _ in seen.fields if name.startswith(b"trailer:")] == [b"trailer:X-Sum"]),
    "GET with a body": (get(b"Content-Length: 5") + b"hello", body_is(b"hello")),
    "HEAD with a body": (target(b"/", b"HEAD")[:-2] + b"Content-Length: 5\r\n\r\nhello", body_is(b"hello")),
    "OPTIONS with a body": (target(b"*", b"OPTIONS")[:-2] + b"Content-Length: 5\r\n\r\nhello", body_is(b"hello")),
    "an unknown method": (target(b"/", b"BREW"), lambda seen: seen.method == b"BREW"),
    "a method of 32 letters": (target(b"/", b"M" * 32), lambda seen: seen.method == b"M" * 32),
    "a method in lower case": (target(b"/", b"get"), lambda seen: seen.method == b"get"),
    "a target of 8192 bytes": (target(b"/" + b"x" * 8191), targets(b"/" + b"x" * 8191)),
    "a field of 16384 bytes": (get(b"X-A: " + b"x" * (16384 - 5)), has(b"x-a", b"x" * (16384 - 5))),
    "100 fields": (get(*[b"X-A: 1"] * 99), lambda seen: len(seen.values(b"x-a")) == 99),
    "32 connection options": (get(b"Connection: " + b",".join([b"x"] * 32)), names_no(b"connection")),
    "one empty line before": (b"\r\n" + get(), targets(b"/")),
    "absolute-form": (target(b"http://TEST:80/a?b"), targets(b"/a?b", b"TEST:80")),
    "absolute-form without a path": (target(b"http://test?b"), targets(b"/?b")),
    "absolute-form of OPTIONS without a path": (target(b"http://test", b"OPTIONS"), targets(b"*")),
    "absolute-form with https and its port": (target(b"https://test:443/", host=b"test"), targets(b"/", b"test:443")),
    "OPTIONS *": (target(b"*", b"OPTIONS"), targets(b"*")),
    "OPTIONS /": (target(b"/", b"OPTIONS"), targets(b"/")),
    "an empty query": (target(b"/?"), targets(b"/?")),
    "a path with .. in it": (target(b"/a/../b"), targets(b"/a/../b")),
    "a path with %2e%2E%2f in it": (target(b"/a/%2e%2E%2fb"), targets(b"/a/%2e%2E%2fb")),
    "a path with // in it": (target(b"//a//b"), targets(b"//a//b")),
    "a path with half a percent": (target(b"/%"), targets(b"/%")),
    "quotes and braces": (target(b'/"{}|\\^`<>'), targets(b'/"{}|\\^`<>')),
    "version 1.0": (version(b"HTTP/1.0"), targets(b"/")),
    "version 1.2": (version(b"HTTP/1.2"), targets(b"/")),
    "version 1.0 without Host": (get(start=b"GET / HTTP/1.0", host=None), lambda seen: seen.values(b"host")[0].startswith(b"127.0.0.1:")),
    "Host with a port": (hosted(b"test:8080"), targets(b"/", b"test:8080")),
    "Host with an address": (hosted(b"[2001:db8::1]:80"), targets(b"/", b"[2001:db8::1]:80")),
    "white space around a value": (get(b"X-A:\t 1 2\t3 \t"), has(b"x-a", b"1 2\t3")),
    "no white space before a value": (get(b"X-A:1"), has(b"x-a", b"1")),
    "an empty value": (get(b"X-A: "), has(b"x-a", b"")),
    "8 bits in a value": (get(b"X-A: \xe4\xff\x80"), has(b"x-a", b"\xe4\xff\x80")),
    "a field of the connection": (get(b"Connection: x-a, close", b"X-A: 1"), names_no(b"x-a", b"connection")),
    "hop-by-hop fields": (get(b"Keep-Alive: 1", b"Proxy-Connection: keep-alive", b"TE: trailers", b"Proxy-Authorization: x"),
                          names_no(b"keep-alive", b"proxy-connection", b"te", b"proxy-authorization")),
    "Connection names what says who the client is": (
        get(b"Connection: Cookie, Authorization, X-Forwarded-For", b"Cookie: a=b", b"Authorization: x"),
        lambda seen: (seen.values(b"cookie"), seen.values(b"authorization"), seen.values(b"x-forwarded-for"))
        == ([b"a=b"], [b"x"], [b"127.0.0.1"])),
    "Upgrade: h2c": (get(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABk"),
                     names_no(b"upgrade", b"http2-settings", b"connection")),
    "Upgrade of two": (get(b"Connection: Upgrade", b"Upgrade: h2c", b"Upgrade: websocket"), names_no(b"upgrade")),
    "Upgrade of a list": (get(b"Connection: Upgrade", b"Upgrade: websocket, h2c"), names_no(b"upgrade")),
    "Upgrade without Connection": (get(b"Upgrade: websocket"), names_no(b"upgrade")),
    "an underscore in a name": (get(b"X_Forwarded_For: 6.6.6.6", b"Content_Length: 5"),
                                names_no(b"x_forwarded_for", b"content_length")),
    "forwarding fields of a stranger": (
        get(b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-For: 7.7.7.7", b"Forwarded: for=6.6.6.6", b"X-Real-IP: 6.6.6.6"),
        lambda seen: (seen.values(b"x-forwarded-for"), seen.values(b"forwarded"), seen.values(b"x-real-ip"))
        == ([b"127.0.0.1"], [], [])),
}


# ------------------------------------------------------------------------------------------------------------- responses


def ok(*lines: bytes, body: bytes = b"", status: bytes = b"HTTP/1.1 200 OK") -> bytes:
    return b"\r\n".join([status, *lines, b"", b""]) + body


def ok_chunked(body: bytes) -> bytes:
    return ok(b"Transfer-Encoding: chunked", body=body)


EMPTY = b"Content-Length: 0"
HINT = b"HTTP/1.1 103 Hint\r\nLink: </a>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

MALFORMED_ANSWERS: dict[str, bytes] = {
    "length and chunked": ok(b"Content-Length: 5", b"Transfer-Encoding: chunked", body=DONE),
    "lengths 5 and 6": ok(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!"),
    "lengths 5 and 5": ok(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"),
    "length 5, 5": ok(b"Content-Length: 5, 5", body=b"hello"),
    "length -1": ok(b"Content-Length: -1"),
    "length 2^64 + 5": ok(b"Content-Length: 18446744073709551621", body=b"hello"),
    "no length": ok(b"Content-Length:"),
    "coding chunked, gzip": ok(b"Transfer-Encoding: chunked, gzip", body=DONE),
    "coding gzip, chunked": ok(b"Transfer-Encoding: gzip, chunked", body=DONE),
    "coding chunked twice": ok(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=DONE),
    "coding xchunked": ok(b"Transfer-Encoding: xchunked", body=DONE),
    "chunked in 1.0": ok(b"Transfer-Encoding: chunked", body=DONE, status=b"HTTP/1.0 200 OK"),
    "chunk size 0x5": ok_chunked(b"0x5\r\nhello\r\n" + DONE),
    "chunk size with a space": ok_chunked(b"5 \r\nhello\r\n" + DONE),
    "chunk size of 17 digits": ok_chunked(b"0" * 16 + b"5\r\nhello\r\n" + DONE),
    "chunk size, LF": ok_chunked(b"5\nhello\r\n" + DONE),
    "chunk data, LF": ok_chunked(b"5\r\nhello\n" + DONE),
    "extension without a name": ok_chunked(b"5;\r\nhello\r\n" + DONE),
    "trailer with LF": ok_chunked(b"5\r\nhello\r\n0\r\nX-A: 1\n\r\n"),
    "space before the colon": ok(b"X-A : 1", EMPTY),
    "space before the colon of a length": ok(b"Content-Length : 5", body=b"hello"),
    "a folded line": ok(b"X-A: 1", b" 2", EMPTY),
    "a folded first line": ok(b" X-A: 1", EMPTY),
    "no colon": ok(b"X-A", EMPTY),
    "NUL in a value": ok(b"X-A: 1\x002", EMPTY),
    "NUL in a name": ok(b"X-\x00A: 1", EMPTY),
    "CR in a value": ok(b"X-A: 1\r2", EMPTY),
    "LF behind a field": ok(b"X-A: 1\nX-B: 2", EMPTY),
    "LF for CRLF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "CR behind the status line": b"HTTP/1.1 200 OK\rContent-Length: 0\r\n\r\n",
    "an empty line before": b"\r\n" + ok(EMPTY),
    "a body before": b"hello" + ok(EMPTY),
    "no status": ok(EMPTY, status=b"HTTP/1.1"),
    "no status but words": ok(EMPTY, status=b"HTTP/1.1 OK"),
    "a status of two digits": ok(EMPTY, status=b"HTTP/1.1 20 OK"),
    "a status of four digits": ok(EMPTY, status=b"HTTP/1.1 2000 OK"),
    "a status below 100": ok(EMPTY, status=b"HTTP/1.1 099 OK"),
    "a status behind two spaces": ok(EMPTY, status=b"HTTP/1.1  200 OK"),
    "NUL in the reason": ok(EMPTY, status=b"HTTP/1.1 200 O\x00K"),
    "version 2.0": ok(EMPTY, status=b"HTTP/2.0 200 OK"),
    "version 1.10": ok(EMPTY, status=b"HTTP/1.10 200 OK"),
    "version in lower case": ok(EMPTY, status=b"http/1.1 200 OK"),
    "no HTTP at all": b"220 mail.example ESMTP\r\n\r\n",
    "101 to what was not asked": ok(b"Connection: Upgrade", b"Upgrade: websocket", status=b"HTTP/1.1 101 Switching"),
    "an interim answer with a length": ok(b"Content-Length: 5", status=b"HTTP/1.1 103 Hint") + ok(EMPTY),
    "an interim answer with chunks": ok(b"Transfer-Encoding: chunked", status=b"HTTP/1.1 100 Continue") + ok(EMPTY),
    "9 interim answers": CONTINUE * 9 + ok(EMPTY),
    "Connection names Content-Length": ok(b"Connection: content-length", b"Content-Length: 5", body=b"hello"),
    "101 fields": ok(*[b"X-A: 1"] * 100, EMPTY),
    "a field of 16385 bytes": ok(b"X-A: " + b"x" * (16385 - 5), EMPTY),
}


def is_(status: int, body: bytes):
    return lambda answer: (answer.status, answer.body) == (status, body)


POISON = ok(b"Content-Length: 6", body=b"poison")

GOOD_ANSWERS: dict[str, tuple] = {  # the method, the bytes (the connection stays open), and what the client must read
    "a length": ("GET", ok(b"Content-Length: 2", body=b"ok"), is_(200, b"ok")),
    "a length, then another answer": ("GET", ok(b"Content-Length: 2", body=b"ok") + POISON, is_(200, b"ok")),
    "a length, then one byte": ("GET", ok(b"Content-Length: 2", body=b"ok!"), is_(200, b"ok")),
    "a length, then CRLF": ("GET", ok(b"Content-Length: 2", body=b"ok\r\n"), is_(200, b"ok")),
    "chunks, then another answer": ("GET", ok_chunked(b"2\r\nok\r\n" + DONE) + POISON, is_(200, b"ok")),
    "chunks with extensions": ("GET", ok_chunked(b"2;a=b\r\nok\r\n" + DONE), is_(200, b"ok")),
    "HEAD, then a body": ("HEAD", ok(b"Content-Length: 6", body=b"poison"), is_(200, b"")),
    "HEAD, then chunks": ("HEAD", ok_chunked(b"6\r\npoison\r\n" + DONE), is_(200, b"")),
    "HEAD, then another answer": ("HEAD", ok(b"Content-Length: 6") + POISON, is_(200, b"")),
    "204": ("GET", ok(status=b"HTTP/1.1 204 None"), is_(204, b"")),
    "204 with a body": ("GET", ok(b"Content-Length: 6", body=b"poison", status=b"HTTP/1.1 204 None"), is_(204, b"")),
    "204 with chunks": ("GET", ok(b"Transfer-Encoding: chunked", body=b"6\r\npoison\r\n" + DONE,
                                  status=b"HTTP/1.1 204 None"), is_(204, b"")),
    "204, then another answer": ("GET", ok(status=b"HTTP/1.1 204 None") + POISON, is_(204, b"")),
    "304 with a body": ("GET", ok(b"Content-Length: 6", body=b"poison", status=b"HTTP/1.1 304 Same"), is_(304, b"")),
    "304, then another answer": ("GET", ok(status=b"HTTP/1.1 304 Same") + POISON, is_(304, b"")),
    "8 interim answers": ("GET", CONTINUE * 8 + ok(b"Content-Length: 2", body=b"ok"), is_(200, b"ok")),
    "early hints": ("GET", HINT * 3 + ok(b"Content-Length: 2", body=b"ok"), is_(200, b"ok")),
    "no reason": ("GET", ok(b"Content-Length: 2", body=b"ok", status=b"HTTP/1.1 200"), is_(200, b"ok")),
    "8 bits in a value": ("GET", ok(b"X-A: \xe4", EMPTY), lambda answer: answer.header("x-a") == "\xe4"),
    "an underscore in a name": ("GET", ok(b"X_A: 1", EMPTY), lambda answer: answer.header("x_a") == "1"),
    "100 fields": ("GET", ok(*[b"X-A: 1"] * 99, EMPTY), is_(200, b"")),
}
