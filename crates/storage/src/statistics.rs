//! PostgreSQL plans a statement by what it has counted of its tables. It counts them about once a minute, and plans a
//! statement once for each connection: a table that grows fast (a community that begins, or moves in) would be read in
//! the order that was best while it was empty. So a table is counted when it has doubled; its statements are then
//! planned anew. The queues, which are long at one moment and empty at the next, are read in an order that no count
//! changes ([`crate::deliveries::claim`]).

use crate::db::Db;
use crate::error::Result;
use crate::sql;

impl Db {
    /// Counts tables that have doubled since they were counted. To be called about once a second; nothing happens on
    /// the embedded database, whose plans follow from its indexes alone.
    ///
    /// # Errors
    /// As [`crate::Error`] says.
    pub async fn count_what_grew(&self) -> Result<()> {
        if self.is_sqlite() {
            return Ok(());
        }
        let mut conn = self.read().await?;
        // Up to 64 kB a table is read in no time, in whatever order. Another process may be at it.
        sql!(
            "DO $$ DECLARE grown text; BEGIN
                FOR grown IN SELECT c.relname FROM pg_class c
                    WHERE c.relkind = 'r' AND c.relnamespace = to_regnamespace(current_schema())
                      AND pg_relation_size(c.oid) > 2 *
                        greatest(CAST(c.relpages AS bigint) * CAST(current_setting('block_size') AS bigint), 32768)
                LOOP EXECUTE format('ANALYZE (SKIP_LOCKED) %I', grown); END LOOP;
             END $$"
        )
        .run(&mut conn)
        .await?;
        Ok(())
    }
}
