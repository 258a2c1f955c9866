//! What a member does with what she was told. Notifications are written by `fanout` alone.

pub mod clear;
