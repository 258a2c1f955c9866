//! What must hold whatever a stranger sends, for the fuzzer. The workspace's tests run the same on the seeds.

pub mod properties;
