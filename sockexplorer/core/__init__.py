"""Values and rules. Nothing here opens, reads or writes anything."""
