//! Files while they arrive: on the disk, so that an upload takes none of the memory that everybody shares.
//!
//! Such a file has no name. It is gone when nobody holds it any more, however the program ends; so nothing has to be
//! cleaned up at the next start, which could not tell a dead process's file from one that another process writes now.

use std::io::SeekFrom;
use std::path::Path;

use bytes::Bytes;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, AsyncWriteExt as _};

use crate::store::StoreError;

/// A file without a name.
#[derive(Debug)]
pub struct TemporaryFile {
    file: File,
    length: usize,
}

impl TemporaryFile {
    pub(crate) async fn new(folder: &Path) -> Result<Self, StoreError> {
        let folder = folder.to_owned();
        let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
        let file = made.map_err(|e| StoreError::Failed(e.to_string()))?.map_err(|e| failed(&e))?;
        Ok(Self { file: File::from_std(file), length: 0 })
    }

    /// Appends.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk is full, or what was written before could not be kept.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.file.write_all(bytes).await.map_err(|e| failed(&e))?;
        self.length += bytes.len();
        Ok(())
    }

    /// Bytes that were written.
    #[must_use]
    pub fn len(&self) -> usize {
        self.length
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Everything that was written.
    ///
    /// # Errors
    /// [`StoreError::Failed`].
    pub async fn read(mut self) -> Result<Bytes, StoreError> {
        self.file.flush().await.map_err(|e| failed(&e))?;
        self.file.seek(SeekFrom::Start(0)).await.map_err(|e| failed(&e))?;
        let mut bytes = Vec::with_capacity(self.length);
        self.file.read_to_end(&mut bytes).await.map_err(|e| failed(&e))?;
        Ok(bytes.into())
    }
}

/// Bytes of a file that somebody sent, wherever they are until they are looked at.
#[derive(Debug)]
pub enum Sent {
    Memory(Bytes),
    Disk(TemporaryFile),
}

impl Sent {
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Disk(file) => file.len(),
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of it, in memory.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when it cannot be read from the disk.
    pub async fn into_bytes(self) -> Result<Bytes, StoreError> {
        match self {
            Self::Memory(bytes) => Ok(bytes),
            Self::Disk(file) => file.read().await,
        }
    }
}

impl From<Bytes> for Sent {
    fn from(bytes: Bytes) -> Self {
        Self::Memory(bytes)
    }
}

impl From<&'static [u8]> for Sent {
    fn from(bytes: &'static [u8]) -> Self {
        Self::Memory(Bytes::from_static(bytes))
    }
}

impl From<TemporaryFile> for Sent {
    fn from(file: TemporaryFile) -> Self {
        Self::Disk(file)
    }
}

fn failed(error: &std::io::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

#[cfg(test)]
mod tests {
    use crate::MediaStore;

    #[tokio::test]
    async fn it_comes_back_as_it_was_written_and_no_name_ever_leads_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let store = MediaStore::on_disk(folder.path()).unwrap();
        let mut file = store.temporary().await.unwrap();
        assert!(file.is_empty());
        let pieces: Vec<Vec<u8>> = (0..40u8).map(|n| vec![n; 100_000]).collect();
        for piece in &pieces {
            file.write(piece).await.unwrap();
        }
        assert_eq!(file.len(), 4_000_000);
        let names = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(names, 0, "killed now, nothing of it stays");
        assert_eq!(file.read().await.unwrap(), pieces.concat());
    }
}
