//! A directory whose files a device hands to the guest.

use std::io;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use crate::component::Files;

/// The most bytes of a directory's files together: they are kept in memory.
const MOST: u64 = 256 << 20;

/// Why a directory is not handed to a device.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotRead {
    /// The directory cannot be opened or listed.
    #[error("cannot read the directory {directory}: {reason}")]
    Directory {
        /// The directory.
        directory: String,
        /// What the system says.
        reason: io::Error,
    },
    /// A file cannot be read, or is a link to outside.
    #[error("cannot read {file} in the directory {directory}: {reason}")]
    File {
        /// The directory.
        directory: String,
        /// The file's name.
        file: String,
        /// What the system says.
        reason: io::Error,
    },
    /// There is too much of it.
    #[error("the files in the directory {directory} are larger than {} MiB together", MOST >> 20)]
    TooLarge {
        /// The directory.
        directory: String,
    },
}

/// Reads the files that are right in a directory, in the order of their names' bytes.
/// What a link leads to must be in there as well; other directories, sockets and the like
/// are no files.
///
/// # Errors
/// Something cannot be read, or is too large.
pub(super) fn read_directory(path: &str) -> Result<Files, NotRead> {
    let directory = || path.to_owned();
    let unreadable = |reason| NotRead::Directory { directory: directory(), reason };
    let opened = Dir::open_ambient_dir(path, ambient_authority()).map_err(unreadable)?;
    let mut files: Vec<(String, Arc<[u8]>)> = Vec::new();
    let mut left = MOST;
    for entry in opened.entries().map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name();
        let failed = |reason| NotRead::File {
            directory: directory(),
            file: name.to_string_lossy().into_owned(),
            reason,
        };
        // A pipe would have whoever opens it wait.
        let metadata = opened.metadata(&name).map_err(failed)?;
        if !metadata.is_file() {
            continue;
        }
        let remaining = left.checked_sub(metadata.len());
        left = remaining.ok_or_else(|| NotRead::TooLarge { directory: directory() })?;
        let contents = opened.read(&name).map_err(failed)?;
        let no_text = || failed(io::Error::other("its name is not UTF-8"));
        files.push((name.to_str().ok_or_else(no_text)?.to_owned(), contents.into()));
    }
    files.sort();
    Ok(files.into())
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;

    fn read(directory: &Path) -> Result<Vec<(String, Vec<u8>)>, String> {
        let files = read_directory(directory.to_str().unwrap());
        let owned =
            |files: Files| files.iter().map(|(name, data)| (name.clone(), data.to_vec())).collect();
        files.map(owned).map_err(|error| error.to_string())
    }

    #[test]
    fn files_are_in_the_order_of_their_names() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(read(directory.path()), Ok(vec![]));
        for name in ["b", "a/x", "B", "empty"] {
            let path = directory.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, if name == "empty" { "" } else { name }).unwrap();
        }
        symlink("a/x", directory.path().join("link")).unwrap();
        let expected = [("B", "B"), ("b", "b"), ("empty", ""), ("link", "a/x")]
            .map(|(name, contents)| (name.to_owned(), contents.as_bytes().to_vec()));
        assert_eq!(read(directory.path()), Ok(expected.to_vec()));
    }

    #[test]
    fn what_is_no_file_is_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("inner")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket"));
        symlink("inner", directory.path().join("way")).unwrap();
        assert_eq!(read(directory.path()), Ok(vec![]));
    }

    #[test]
    fn nothing_outside_is_reached() {
        for target in ["/etc/passwd", "../secret", "inner/../../secret"] {
            let outer = tempfile::tempdir().unwrap();
            fs::write(outer.path().join("secret"), "secret").unwrap();
            let directory = outer.path().join("given");
            fs::create_dir_all(directory.join("inner")).unwrap();
            symlink(target, directory.join("link")).unwrap();
            let refused = read(&directory).unwrap_err();
            assert!(refused.starts_with("cannot read link in the directory "), "{refused}");
            assert!(refused.contains("outside"), "{refused}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("none");
        let missing = read(&path).unwrap_err();
        let expected = format!("cannot read the directory {}: No such file", path.display());
        assert!(missing.starts_with(&expected), "{missing}");
        fs::write(&path, "a file").unwrap();
        let file = read(&path).unwrap_err();
        assert!(file.contains("Not a directory"), "{file}");
        symlink("nowhere", directory.path().join("dangling")).unwrap();
        let dangling = read(directory.path()).unwrap_err();
        assert!(dangling.contains("cannot read dangling in the directory"), "{dangling}");
        fs::remove_file(directory.path().join("dangling")).unwrap();
        fs::write(directory.path().join(OsStr::from_bytes(b"\xff")), "").unwrap();
        let name = read(directory.path()).unwrap_err();
        assert!(name.ends_with("its name is not UTF-8"), "{name}");
    }

    #[test]
    fn too_much_is_refused_before_it_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let file = fs::File::create(directory.path().join("large")).unwrap();
        file.set_len(MOST + 1).unwrap();
        let refused = read(directory.path()).unwrap_err();
        assert!(refused.ends_with("are larger than 256 MiB together"), "{refused}");
    }
}
