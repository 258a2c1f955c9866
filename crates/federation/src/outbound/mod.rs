//! What leaves: an activity is made once and kept with a row for every inbox (`distribute`), then delivered until
//! each has it or has refused it (`deliver`). Reports are sent in the name of the server itself (`report`).

pub mod deliver;
pub mod distribute;
mod report;
