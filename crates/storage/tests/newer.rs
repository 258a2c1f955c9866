//! A database that a newer version of the program has used.

use storage::Db;

both! {
    /// It is named as such, and left as it is.
    async fn a_newer_database_is_named_as_such(fresh) {
        let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES";
        for (sqlite, postgres) in [
            ("(9999, 'later', TRUE, x'00', 0)", "(9999, 'later', TRUE, '\\x00', 0)"),
            ("(20300101000000, 'much later', TRUE, x'00', 0)", "(20300101000000, 'much later', TRUE, '\\x00', 0)"),
            ("(5000, 'in between', TRUE, x'00', 0)", "(5000, 'in between', TRUE, '\\x00', 0)"),
        ] {
            let (sqlite, postgres) = (format!("{newer} {sqlite}"), format!("{newer} {postgres}"));
            fresh.run(sqlite.leak(), postgres.leak()).await;
            // One of its own: the embedded database has one process at a time.
            let refused = Db::connect(&fresh.config, fresh.clock.clone()).await.unwrap_err().to_string();
            assert!(refused.contains("a newer version of Porchlight has used this database"), "{refused}");
            assert!(!refused.contains("previously applied"), "{refused}");
        }
    }
}
