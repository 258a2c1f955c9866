//! The embedded database is its owner's alone: nobody else with an account on the machine reads it around the server.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use domain::Clock;
use storage::{Config, Db};

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

async fn open(folder: &Path) -> Db {
    let url = format!("sqlite://{}", folder.join("porchlight.db").display());
    let db = Db::connect(&Config { url, max_connections: 4 }, Clock::System).await.unwrap();
    db.write().await.unwrap().commit().await.unwrap();
    db
}

/// The names of the files in a folder, all of which must be its owner's alone.
fn private_files(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|file| {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
            file.file_name().unwrap().to_str().unwrap().to_owned()
        })
        .collect()
}

#[tokio::test]
async fn what_is_made_is_its_owners_alone_and_what_was_there_stays() {
    let home = tempfile::tempdir().unwrap();
    let made = home.path().join("deep/data");
    let db = open(&made).await;
    assert_eq!((mode(&made), mode(made.parent().unwrap())), (0o700, 0o700));
    let files = private_files(&made);
    for name in ["porchlight.db", "porchlight.db-wal", "porchlight.db-shm", "porchlight.db-node0"] {
        assert!(files.iter().any(|file| file == name), "no {name} in {files:?}");
    }
    db.close().await;

    let shared = home.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o755)).unwrap();
    let db = open(&shared).await;
    assert_eq!(mode(&shared), 0o755);
    assert!(private_files(&shared).len() >= 4);
    db.close().await;

    // Somebody may have decided otherwise.
    let file = shared.join("porchlight.db");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
    let db = open(&shared).await;
    assert_eq!(mode(&file), 0o640);
    db.close().await;
}
