//! How far the audit logs have come, as it was published.

use sqlx::FromRow;

use super::database::Scope;
use super::{Error, Store, whole};
use crate::audit::{Head, SERVER};
use crate::times::now_us;

impl Store {
    /// Keeps how far an audit log has come. What is there already stays.
    ///
    /// # Errors
    /// [`Error::Query`].
    pub async fn publish_head(&self, head: &Head) -> Result<(), Error> {
        let statement = "INSERT INTO audit_head (log, seq, company, day, hash, published_us) \
            VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (log, seq, hash) DO NOTHING";
        let hash = head.hash.to_string();
        let values = [
            (&head.log).into(),
            whole(head.seq).into(),
            SERVER.into(),
            (&head.day).into(),
            (&hash).into(),
            now_us().into(),
        ];
        let mut transaction = self.database.begin(Scope::Every).await?;
        transaction.run(statement, &values).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// How far all audit logs have come, in the order of their entries.
    ///
    /// # Errors
    /// [`Error::Query`] or [`Error::Garbled`].
    pub async fn heads(&self) -> Result<Vec<Head>, Error> {
        let statement = "SELECT log, day, seq, hash FROM audit_head ORDER BY log, seq";
        let rows: Vec<Row> = self.database.read(Scope::Every, statement, &[]).await?;
        rows.into_iter().map(Row::head).collect()
    }
}

/// A row as it is in the table.
#[derive(FromRow)]
struct Row {
    log: String,
    day: String,
    seq: i64,
    hash: String,
}

impl Row {
    fn head(self) -> Result<Head, Error> {
        let garbled = || Error::Garbled { what: "audit head", source: None };
        let seq = u64::try_from(self.seq).map_err(|_| garbled())?;
        let hash = self.hash.parse().map_err(|_| garbled())?;
        Ok(Head { log: self.log, day: self.day, seq, hash })
    }
}
