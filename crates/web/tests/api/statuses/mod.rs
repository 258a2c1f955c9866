//! `/api/v1/statuses*`.

mod context;
mod create;
mod delete;
mod edit;
mod mark;
mod reblog;
mod taken_back;
