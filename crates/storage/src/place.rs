//! Where the embedded database really is, whatever it is called.
//!
//! Locks and SQLite's own log lie beside the file, named after it. Two names for one file would be two sets of them: two
//! servers would not see each other, and their logs would ruin the database
//! (<https://www.sqlite.org/howtocorrupt.html>, 2.5). So symbolic links are followed before anything is named, and a file
//! that has two names beyond that is refused.

use std::ffi::OsStr;
use std::io::{Error, ErrorKind, Result};
#[cfg(unix)]
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// As many links as Linux follows.
const MOST_LINKS: usize = 40;

/// The one name of the database at `path`, which need not exist yet, in a folder that does.
///
/// # Errors
/// When the folder cannot be found, links go in a circle, or the file has another name too.
pub(crate) fn of(path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.canonicalize()?,
            _ => Path::new(".").canonicalize()?,
        };
        path = folder.join(path.file_name().unwrap_or(OsStr::new("")));
        match path.symlink_metadata() {
            // What a link names may be missing too, and be made through it.
            Ok(found) if found.is_symlink() => path = folder.join(path.read_link()?),
            Ok(found) => return has_one_name(&path, &found).map(|()| path),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(path),
            Err(error) => return Err(error),
        }
    }
    Err(Error::other("symbolic links lead to symbolic links without end"))
}

#[cfg(unix)]
fn has_one_name(path: &Path, file: &std::fs::Metadata) -> Result<()> {
    if file.is_file() && file.nlink() > 1 {
        return Err(Error::other(
            "the file has another name too (a hard link), under which it would be another database: remove one of them",
        ));
    }
    if is_mounted_alone(path) {
        return Err(Error::other(
            "the file is mounted alone: mount its folder, since the database's log lies beside it",
        ));
    }
    Ok(())
}

#[cfg(not(unix))]
fn has_one_name(_: &Path, _: &std::fs::Metadata) -> Result<()> {
    Ok(())
}

/// Is it a mount of a single file, as containers can have? Elsewhere it has another name then.
#[cfg(target_os = "linux")]
fn is_mounted_alone(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};

    statx(CWD, path, AtFlags::empty(), StatxFlags::BASIC_STATS)
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_mounted_alone(_: &Path) -> bool {
    false
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_spelling_of_a_path_is_one_place() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("data")).unwrap();
        let real = at("data").canonicalize().unwrap().join("porchlight.db");
        symlink(at("data"), at("folder-link")).unwrap();
        symlink("data/porchlight.db", at("link.db")).unwrap();
        symlink("link.db", at("link-to-link.db")).unwrap();
        let spellings =
            ["data/porchlight.db", "data/./porchlight.db", "data/../data/porchlight.db", "data//porchlight.db"];
        let links = ["folder-link/porchlight.db", "link.db", "link-to-link.db"];
        for missing in [true, false] {
            if !missing {
                std::fs::write(&real, b"").unwrap();
            }
            for name in spellings.iter().chain(&links) {
                assert_eq!(of(&at(name)).unwrap(), real, "{name}, {}", if missing { "before it is" } else { "" });
            }
        }
    }

    #[test]
    fn a_file_with_two_names_is_refused_under_both() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one.db"), folder.path().join("other.db"));
        std::fs::write(&one, b"").unwrap();
        of(&one).unwrap();
        std::fs::hard_link(&one, &other).unwrap();
        for name in [&one, &other] {
            assert!(of(name).unwrap_err().to_string().contains("hard link"), "{}", name.display());
        }
        std::fs::remove_file(&other).unwrap();
        of(&one).unwrap();
    }

    #[test]
    fn links_in_a_circle_end() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one.db"), folder.path().join("other.db"));
        symlink(&one, &other).unwrap();
        symlink(&other, &one).unwrap();
        of(&one).unwrap_err();
    }
}
