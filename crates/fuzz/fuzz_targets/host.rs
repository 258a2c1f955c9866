//! See `porchlight_fuzz::properties::host`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| porchlight_fuzz::properties::host(data));
