//! `/api/v1/accounts*`.

mod block;
mod create;
mod follow;
mod get;
mod update_credentials;
