//! Rows of either database into types, column by column in the order of the statement.
//!
//! By position, so that nothing is looked up by name on the way; tests and debug builds compare the names all the same.

use sqlx::postgres::PgRow;
use sqlx::{Column as _, Row as _};

use crate::error::{Error, Result};

/// A row whose next column is read next.
pub struct Row<'r> {
    of: Of<'r>,
    at: usize,
}

#[derive(Clone, Copy)]
enum Of<'r> {
    Sqlite(&'r rusqlite::Row<'r>),
    Postgres(&'r PgRow),
}

impl<'r> Row<'r> {
    pub(crate) fn sqlite(row: &'r rusqlite::Row<'r>) -> Self {
        Self { of: Of::Sqlite(row), at: 0 }
    }

    pub(crate) fn postgres(row: &'r PgRow) -> Self {
        Self { of: Of::Postgres(row), at: 0 }
    }

    /// Where the next column is, which must be called `name` if that is known.
    fn step(&mut self, name: Option<&str>) -> Result<usize> {
        let at = self.at;
        self.at += 1;
        if cfg!(debug_assertions)
            && let Some(name) = name
            && self.name(at) != Some(name)
        {
            return Err(Error::Internal(format!("column {at} is {:?}, not {name}", self.name(at))));
        }
        Ok(at)
    }

    fn name(&self, at: usize) -> Option<&str> {
        match self.of {
            Of::Sqlite(row) => row.as_ref().column_name(at).ok(),
            Of::Postgres(row) => row.columns().get(at).map(|c| c.name()),
        }
    }
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Row").field("at", &self.at).finish_non_exhaustive()
    }
}

/// What can stand in a row: one column, or several that belong together.
pub trait Field: Sized {
    /// # Errors
    /// [`Error::Internal`] when the column is of another kind.
    fn read(row: &mut Row<'_>, name: Option<&str>) -> Result<Self>;
}

/// What a whole row becomes: a tuple, or a struct made by `record!`. Integers are `i64`, never smaller.
pub trait Record: Sized + Send + 'static {
    /// # Errors
    /// As [`Field::read`].
    fn from_row(row: &mut Row<'_>) -> Result<Self>;
}

macro_rules! columns {
    ($($t:ty)*) => {$(
        impl Field for $t {
            fn read(row: &mut Row<'_>, name: Option<&str>) -> Result<Self> {
                let at = row.step(name)?;
                Ok(match row.of {
                    Of::Sqlite(row) => row.get(at)?,
                    Of::Postgres(row) => row.try_get(at)?,
                })
            }
        }
    )*};
}

columns! {
    i64 bool f64 String Vec<u8> Option<i64> Option<bool> Option<f64> Option<String> Option<Vec<u8>>
}

/// As it was stored. The empty text that stands for this community is no host: read that column as a `String`.
impl Field for domain::Host {
    fn read(row: &mut Row<'_>, name: Option<&str>) -> Result<Self> {
        String::read(row, name).map(Self::stored)
    }
}

macro_rules! tuples {
    ($(($($t:ident),+))*) => {$(
        impl<$($t: Field + Send + 'static),+> Record for ($($t,)+) {
            fn from_row(row: &mut Row<'_>) -> Result<Self> {
                Ok(($($t::read(row, None)?,)+))
            }
        }
    )*};
}

tuples! {
    (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, F) (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H) (A, B, C, D, E, F, G, H, I, J, K, L, M, N, O)
}

/// A struct whose fields are the columns of a statement, in its order. A field may be another such struct.
macro_rules! record {
    ($(#[$about:meta])* $visible:vis struct $name:ident { $($(#[$of:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        $visible struct $name { $($(#[$of])* $field: $kind,)* }

        impl $crate::record::Record for $name {
            fn from_row(row: &mut $crate::record::Row<'_>) -> $crate::error::Result<Self> {
                Ok(Self { $($field: $crate::record::Field::read(row, Some(stringify!($field)))?,)* })
            }
        }

        impl $crate::record::Field for $name {
            fn read(row: &mut $crate::record::Row<'_>, _: Option<&str>) -> $crate::error::Result<Self> {
                $crate::record::Record::from_row(row)
            }
        }
    };
}
pub(crate) use record;
