//! What leaves: an activity is made once and kept with a row for every inbox (`distribute`), then delivered until
//! each has it or has refused it (`deliver`).

pub mod deliver;
pub mod distribute;
