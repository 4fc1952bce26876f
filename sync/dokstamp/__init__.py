"""DokStamp as seen from here: requests, answers, lists and tokens as values, and one door.

It owns what HTTP and the envelopes of API sections 3 to 7 mean, and nothing of what a record
is: resources and procedures know that. It never retries, waits or decides to send again, except
one replay after a 401 with a new token. `client` and `http_client` touch the world; every other
module is pure.

```
 Request ──► client ──► http_client ──► DokStamp
                │              │
 Answer  ◄── wire.read_answer ◄┘          envelope: what the answer holds
 Exchange ◄── evidence that names nobody  listing: a whole list, or why it is unknown
```
"""
