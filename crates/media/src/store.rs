//! Where files are kept: a folder now, or anything else that `object_store` speaks to.
//!
//! Files never change once stored. Who may read one is decided by the caller: the store does not know.

use std::fmt;
use std::fs::DirBuilder;
use std::ops::Range;
#[cfg(unix)]
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path as Location;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt, PutPayload};

use crate::key::MediaKey;
use crate::temporary::TemporaryFile;

/// Cheap to clone.
#[derive(Clone)]
pub struct MediaStore {
    inner: Arc<dyn ObjectStore>,
    /// For files that arrive.
    temporary: Arc<Path>,
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No such file, or no such name.
    #[error("no such file")]
    NotFound,
    /// The part asked for is not inside the file.
    #[error("the file has {length} bytes; the part asked for is not in it")]
    OutOfRange { length: u64 },
    /// The disk is full, the folder is missing, the other side does not answer …
    #[error("the media store failed: {0}")]
    Failed(String),
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// A file, or a part of one, ready to be sent.
pub struct Opened {
    pub stream: BoxStream<'static, Result<Bytes>>,
    /// The bytes that `stream` gives: first, and one past the last.
    pub range: Range<u64>,
    /// Bytes of the whole file.
    pub total: u64,
    pub content_type: &'static str,
    /// With its quotes.
    pub etag: String,
}

impl MediaStore {
    /// Keeps files below `folder`, which is made if it is missing: then nobody else on the machine may look into it. Blocks;
    /// for start-up.
    ///
    /// # Errors
    /// When the folder cannot be made or is none.
    pub fn on_disk(folder: &Path) -> Result<Self> {
        let failed = |why: &dyn fmt::Display| StoreError::Failed(format!("{}: {why}", folder.display()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        builder.mode(0o700);
        builder.recursive(true).create(folder).map_err(|e| failed(&e))?;
        // Written through to the disk before a post may point at it.
        let disk = LocalFileSystem::new_with_prefix(folder).map_err(|e| failed(&e))?.with_fsync(true);
        Ok(Self { inner: Arc::new(disk), temporary: folder.into() })
    }

    /// Keeps files wherever `inner` does, such as an S3 bucket.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, temporary: std::env::temp_dir().into() }
    }

    /// A file to receive something in, on the disk where files are kept. Nobody else can reach it, and it goes with its
    /// holder.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn temporary(&self) -> Result<TemporaryFile> {
        TemporaryFile::new(&self.temporary).await
    }

    /// Stores a file, whole or not at all.
    ///
    /// # Errors
    /// [`StoreError::Failed`]; nothing is stored then.
    pub async fn put(&self, key: &MediaKey, bytes: Bytes) -> Result<()> {
        self.inner.put(&Location::from(key.as_str()), PutPayload::from_bytes(bytes)).await.map_err(failed)?;
        Ok(())
    }

    /// Reads a whole file into memory.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for a text that is no key; [`StoreError::Failed`].
    pub async fn get(&self, key: &str) -> Result<Bytes> {
        let key = parse(key)?;
        let found = self.inner.get(&Location::from(key.as_str())).await.map_err(failed)?;
        found.bytes().await.map_err(failed)
    }

    /// Opens a file to send it, whole or from `range`, of which what is past the end is left out.
    ///
    /// # Errors
    /// [`StoreError::NotFound`], also for a text that is no key; [`StoreError::OutOfRange`] when nothing of the range
    /// is in the file; [`StoreError::Failed`].
    pub async fn open(&self, key: &str, range: Option<Range<u64>>) -> Result<Opened> {
        let key = parse(key)?;
        let location = Location::from(key.as_str());
        let options = match range {
            None => GetOptions::new(),
            Some(range) => {
                let length = self.inner.head(&location).await.map_err(failed)?.size;
                let range = range.start..range.end.min(length);
                if range.is_empty() {
                    return Err(StoreError::OutOfRange { length });
                }
                GetOptions::new().with_range(Some(range))
            }
        };
        let found = self.inner.get_opts(&location, options).await.map_err(failed)?;
        Ok(Opened {
            range: found.range.clone(),
            total: found.meta.size,
            content_type: key.content_type(),
            etag: key.etag(),
            stream: found.into_stream().map(|piece| piece.map_err(failed)).boxed(),
        })
    }

    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn exists(&self, key: &str) -> Result<bool> {
        let Ok(key) = MediaKey::parse(key) else { return Ok(false) };
        match self.inner.head(&Location::from(key.as_str())).await.map_err(failed) {
            Ok(_) => Ok(true),
            Err(StoreError::NotFound) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Removes a file. One that is not there counts as removed.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a text that is no key; [`StoreError::Failed`].
    pub async fn delete(&self, key: &str) -> Result<()> {
        let key = parse(key)?;
        match self.inner.delete(&Location::from(key.as_str())).await.map_err(failed) {
            Ok(()) | Err(StoreError::NotFound) => Ok(()),
            Err(e) => Err(e),
        }
    }
}

impl fmt::Debug for MediaStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MediaStore({})", self.inner)
    }
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("range", &self.range)
            .field("total", &self.total)
            .field("content_type", &self.content_type)
            .finish_non_exhaustive()
    }
}

fn parse(key: &str) -> Result<MediaKey> {
    MediaKey::parse(key).map_err(|_| StoreError::NotFound)
}

fn failed(error: object_store::Error) -> StoreError {
    match error {
        object_store::Error::NotFound { .. } => StoreError::NotFound,
        other => StoreError::Failed(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::TryStreamExt;

    use super::*;

    fn key(byte: u8) -> MediaKey {
        MediaKey::new([byte; 16], "png").unwrap()
    }

    async fn read(opened: Opened) -> Vec<u8> {
        opened.stream.try_collect::<Vec<_>>().await.unwrap().concat()
    }

    #[tokio::test]
    async fn a_file_comes_back_as_it_was_until_it_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let store = MediaStore::on_disk(&folder.path().join("deep/media")).unwrap();
        let bytes = Bytes::from((0..100_000u32).map(|n| n as u8).collect::<Vec<_>>());
        let key = key(7);
        assert!(!store.exists(key.as_str()).await.unwrap());
        store.put(&key, bytes.clone()).await.unwrap();
        assert!(store.exists(key.as_str()).await.unwrap());
        assert_eq!(store.get(key.as_str()).await.unwrap(), bytes);

        let opened = store.open(key.as_str(), None).await.unwrap();
        assert_eq!((opened.range.clone(), opened.total, opened.content_type), (0..100_000, 100_000, "image/png"));
        assert_eq!(opened.etag, key.etag());
        assert_eq!(read(opened).await, bytes);

        store.delete(key.as_str()).await.unwrap();
        store.delete(key.as_str()).await.unwrap();
        assert!(matches!(store.get(key.as_str()).await, Err(StoreError::NotFound)));
        assert!(matches!(store.open(key.as_str(), None).await, Err(StoreError::NotFound)));
        assert!(matches!(store.open(key.as_str(), Some(0..1)).await, Err(StoreError::NotFound)));
    }

    /// What is for some only must not be read around the server, by whoever else has an account on the machine.
    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_that_is_made_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;

        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        drop(MediaStore::on_disk(&data.join("media")).unwrap());
        assert_eq!((mode(&data), mode(&data.join("media"))), (0o700, 0o700));

        let shared = folder.path().join("shared");
        std::fs::create_dir(&shared).unwrap();
        std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o755)).unwrap();
        drop(MediaStore::on_disk(&shared).unwrap());
        assert_eq!(mode(&shared), 0o755, "what was there stays as it is");
    }

    #[tokio::test]
    async fn a_part_of_a_file_can_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = MediaStore::on_disk(folder.path()).unwrap();
        store.put(&key(1), Bytes::from_static(b"0123456789")).await.unwrap();
        let opened = store.open(key(1).as_str(), Some(2..5)).await.unwrap();
        assert_eq!((opened.range.clone(), opened.total), (2..5, 10));
        assert_eq!(read(opened).await, b"234");
        let opened = store.open(key(1).as_str(), Some(8..u64::MAX)).await.unwrap();
        assert_eq!(opened.range.clone(), 8..10);
        assert_eq!(read(opened).await, b"89");
        for outside in [10..11, 5..5, 100..u64::MAX] {
            let answer = store.open(key(1).as_str(), Some(outside)).await;
            assert!(matches!(answer, Err(StoreError::OutOfRange { length: 10 })));
        }
    }

    #[tokio::test]
    async fn names_that_are_no_keys_reach_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let secret = folder.path().join("secret.png");
        std::fs::write(&secret, b"secret").unwrap();
        let store = MediaStore::on_disk(&folder.path().join("media")).unwrap();
        for name in ["../secret.png", "/../secret.png", secret.to_str().unwrap(), "ab/cd/../../../secret.png", "", "."]
        {
            assert!(matches!(store.get(name).await, Err(StoreError::NotFound)), "{name}");
            assert!(matches!(store.open(name, None).await, Err(StoreError::NotFound)), "{name}");
            assert!(matches!(store.delete(name).await, Err(StoreError::NotFound)), "{name}");
            assert!(!store.exists(name).await.unwrap(), "{name}");
        }
        assert!(secret.exists());
    }

    #[tokio::test]
    async fn a_failing_disk_is_an_error_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, b"").unwrap();
        assert!(matches!(MediaStore::on_disk(&file), Err(StoreError::Failed(_))));

        let store = MediaStore::on_disk(&folder.path().join("media")).unwrap();
        // A file where the first folder would be: nothing can be written below it.
        std::fs::write(folder.path().join("media/09"), b"").unwrap();
        assert!(matches!(store.put(&key(9), Bytes::from_static(b"x")).await, Err(StoreError::Failed(_))));
        assert!(store.get(key(9).as_str()).await.is_err());
    }
}
