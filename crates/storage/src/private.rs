//! Files and folders that are the server's own user's alone, from the moment they are made. Never changes the rights of
//! what is there already: somebody may have decided them.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Result};
#[cfg(unix)]
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    options.mode(0o600);
    options
}

/// Opens a file for its lock; made if it is missing.
pub(crate) fn lock_file(path: &Path) -> Result<File> {
    options().create(true).truncate(false).open(path)
}

/// Makes an empty file if there is none. One that exists is not even opened: to close it again would end the locks that
/// SQLite holds on it in this process (<https://www.sqlite.org/howtocorrupt.html>, 2.2).
pub(crate) fn make_file(path: &Path) -> Result<()> {
    match options().create_new(true).open(path) {
        Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.map(drop),
    }
}

/// Makes a folder, and those above it that are missing.
pub(crate) fn make_folder(path: &Path) -> Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    builder.mode(0o700);
    builder.recursive(true).create(path)
}
