//! See `porchlight_fuzz::properties::html`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| porchlight_fuzz::properties::html(data));
