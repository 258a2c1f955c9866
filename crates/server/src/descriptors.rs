//! Files and sockets that this process may have open, which bound the connections that can be served.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Left to the database, the media store, uploads, and requests to other servers.
const OTHERS: u64 = 512;

/// Takes as many files as the system lets this process have, and gives the number of connections that can be served:
/// `wanted`, or fewer where that many files cannot be open.
pub fn connections(wanted: usize) -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // The soft limit is there for programs that cannot deal with high numbers. Where it cannot be raised, it holds.
    let raised = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_ok();
    within(wanted, if raised { maximum } else { current })
}

/// `limit`: `None` for none.
fn within(wanted: usize, limit: Option<u64>) -> usize {
    let Some(limit) = limit else { return wanted };
    // An answer may have a file open beside its connection.
    let possible = usize::try_from(limit.saturating_sub(OTHERS) / 2).unwrap_or(usize::MAX).max(64);
    if possible < wanted {
        tracing::warn!(
            wanted,
            possible,
            "fewer connections than configured: this process may open {limit} files (LimitNOFILE, ulimit -n)"
        );
    }
    wanted.min(possible)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_files_for_everything_else() {
        assert_eq!(within(4096, None), 4096);
        assert_eq!(within(4096, Some(65_536)), 4096);
        assert_eq!(within(4096, Some(1024)), 256);
        assert_eq!(within(4096, Some(300)), 64, "some, however few files there may be");
        assert!(connections(10) == 10);
    }
}
