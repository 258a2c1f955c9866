//! OAuth 2: apps, consent, codes and tokens.

pub mod pages;
