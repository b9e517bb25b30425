// A VFS for SQLite that writes the log of a database with few calls.
#pragma once

// Its name for sqlite3_open_v2. It stands before the VFS that is the default at the first call, and stays. Any thread.
const char *gather_vfs_name(void);
