//! Older and newer: the cursors of the pages' lists, in the address.

/// Addresses of the neighbouring parts of a list.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    pub newer: Option<String>,
    pub older: Option<String>,
}
