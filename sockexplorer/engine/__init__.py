"""The process that owns sockets: opens, reads, sends, probes. Standard library, core and families only."""
