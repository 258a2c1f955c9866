//! The program: configuration, command line, logs and metrics, and everything put together.
//!
//! Never decides what a person may do: that is `app`'s.

pub mod cli;
pub mod config;
pub mod demo;
mod descriptors;
pub mod health;
pub mod listener;
pub mod schedule;
pub mod serve;
pub mod telemetry;
pub mod worker;
