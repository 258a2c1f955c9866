//! What the owner decides about federation in the configuration.

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// The section `federation` of the configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Outgoing requests may use plain http. For trying things out on one machine; off in real life.
    pub allow_http: bool,
    /// Networks that outgoing requests may reach although they are private (CIDR). Empty in real life.
    pub allow_addresses: Vec<IpNet>,
    /// Bytes of a remote picture or video that is fetched to be shown here.
    pub media_bytes: usize,
    /// Requests that one received activity, one search or one opened page may cause at most.
    pub fetch_budget: u32,
    /// Deliveries under way at the same time, to all servers together.
    pub deliveries: usize,
    /// Deliveries under way at the same time to one server.
    pub deliveries_per_host: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            allow_http: false,
            allow_addresses: Vec::new(),
            media_bytes: 16 * 1024 * 1024,
            fetch_budget: 20,
            deliveries: 64,
            deliveries_per_host: 4,
        }
    }
}
