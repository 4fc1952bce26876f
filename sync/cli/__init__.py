"""The command line: the verbs of the runtime, for people and scripts.

This package owns arguments, output, exit codes, signals and where the log goes. A verb reads its
arguments, calls the runtime, and renders the answer; it decides nothing about events, operations
or DokStamp.

```
 main ─► a verb (init, ingest, sync, …) ─► sync.runtime
   │        └─► output: table, --json, --jsonl
   └─► tell: what went wrong, in one line ─► exits: the code
```
"""
