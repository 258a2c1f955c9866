//! Who goes first, who waits and who is refused.

use std::net::Ipv4Addr;

use super::*;

const NO_TIME: Duration = Duration::from_millis(50);

fn lane(change: impl FnOnce(&mut Bounds)) -> Arc<Lane> {
    let mut bounds = Bounds { patience: NO_TIME, ..Bounds::of(Purpose::Picture) };
    change(&mut bounds);
    Arc::new(Lane::new(bounds))
}

fn host(name: &str) -> Host {
    Host::parse(name).unwrap()
}

fn who(host_name: &str, asker: u8) -> Who {
    let asker = Asker::Address(IpAddr::V4(Ipv4Addr::new(10, 0, 0, asker)));
    Who { site: site(&host(host_name)), host: host(host_name), asker }
}

async fn fill(lane: &Arc<Lane>, host: &str, asker: u8, turns: usize) -> Vec<Turn> {
    let mut taken = Vec::new();
    for _ in 0..turns {
        taken.push(lane.take(who(host, asker)).await.unwrap());
    }
    taken
}

#[test]
fn names_below_one_domain_are_one_site() {
    let site = |address: &str| site(&Host::of_address(address).unwrap());
    assert_eq!(site("https://a.b.evil.example/x"), "evil.example");
    assert_eq!(site("https://evil.example./"), "evil.example");
    assert_eq!(site("https://cdn.mums.co.uk:8443/"), "mums.co.uk");
    assert_eq!(site("https://mums.de/"), "mums.de");
    assert_eq!(site("https://files.mums.de/"), "mums.de");
    assert_eq!(site("https://192.0.2.7/"), "192.0.2.7");
    assert_eq!(site("https://[2001:db8::7]/"), "[2001:db8::7]");
    assert_eq!(site("http://localhost/"), "localhost");
}

#[tokio::test]
async fn a_full_server_takes_no_place_of_others() {
    let lane = lane(|_| {});
    let _slow = fill(&lane, "slow.example", 1, 4).await;
    // Many wait for it, and nobody else notices.
    let waiting: Vec<_> = (0..32)
        .map(|_| {
            let lane = Arc::clone(&lane);
            tokio::spawn(async move { lane.take(who("slow.example", 1)).await.map(drop) })
        })
        .collect();
    tokio::task::yield_now().await;
    let began = Instant::now();
    drop(lane.take(who("good.example", 1)).await.unwrap());
    assert!(began.elapsed() < NO_TIME / 2, "{:?}", began.elapsed());
    for waited in waiting {
        assert_eq!(waited.await.unwrap(), Err(FetchError::Busy));
    }
    assert_eq!(lane.locked().waiting.in_all, 0);
    assert!(lane.locked().waiting.by_host.is_empty(), "nothing is left of whoever gave up");
}

#[tokio::test]
async fn names_below_one_domain_and_one_asker_have_their_share_and_no_more() {
    let lane = lane(|bounds| bounds.waiting.in_all = 0);
    let mut held = Vec::new();
    for n in 0..8 {
        held.push(lane.take(who(&format!("n{n}.evil.example"), n)).await.unwrap());
    }
    assert_eq!(lane.take(who("n9.evil.example", 9)).await.unwrap_err(), FetchError::Busy, "the site is full");
    for n in 0..8 {
        held.push(lane.take(who(&format!("host{n}.example"), 100)).await.unwrap());
    }
    assert_eq!(lane.take(who("other.example", 100)).await.unwrap_err(), FetchError::Busy, "the asker is full");
    drop(lane.take(who("other.example", 101)).await.unwrap());
    drop(held);
    assert_eq!(lane.locked().running.in_all, 0);
    assert!(lane.locked().running.by_site.is_empty());
}

#[tokio::test]
async fn the_line_is_bounded_and_refuses_at_once() {
    let lane = lane(|bounds| bounds.waiting.by_host = 2);
    let _full = fill(&lane, "slow.example", 1, 4).await;
    let wait = || {
        let lane = Arc::clone(&lane);
        tokio::spawn(async move { lane.take(who("slow.example", 1)).await.map(drop) })
    };
    let (first, second) = (wait(), wait());
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    let began = Instant::now();
    assert_eq!(lane.take(who("slow.example", 2)).await.unwrap_err(), FetchError::Busy);
    assert!(began.elapsed() < NO_TIME / 2, "it did not wait");
    assert_eq!(first.await.unwrap(), Err(FetchError::Busy));
    assert_eq!(second.await.unwrap(), Err(FetchError::Busy));
}

#[tokio::test]
async fn who_waits_goes_on_when_a_place_is_free_past_those_whose_server_is_full() {
    let lane = lane(|bounds| {
        bounds.running.in_all = 5;
        bounds.patience = Duration::from_secs(20);
    });
    let slow = fill(&lane, "slow.example", 1, 4).await;
    let one = fill(&lane, "one.example", 2, 1).await;
    let wait = |host: &'static str| {
        let lane = Arc::clone(&lane);
        tokio::spawn(async move { lane.take(who(host, 3)).await })
    };
    let behind = wait("slow.example");
    tokio::task::yield_now().await;
    let past = wait("two.example");
    tokio::task::yield_now().await;
    assert!(!past.is_finished(), "all places are taken");
    drop(one);
    let two = past.await.unwrap().unwrap();
    assert!(!behind.is_finished());
    drop(slow);
    drop(behind.await.unwrap().unwrap());
    drop(two);
    // A turn that is given to whoever has gone is not lost.
    let full = fill(&lane, "slow.example", 1, 4).await;
    let gone = wait("slow.example");
    tokio::task::yield_now().await;
    gone.abort();
    drop(full);
    drop(fill(&lane, "slow.example", 1, 4).await);
    let state = lane.locked();
    assert_eq!((state.running.in_all, state.waiting.in_all), (0, 0));
}

#[tokio::test]
async fn a_server_that_does_not_answer_rests_and_is_then_tried_by_one() {
    let lane = lane(|bounds| {
        (bounds.failures, bounds.rest) = (2, Duration::from_millis(150));
        bounds.patience = Duration::from_secs(20);
    });
    let full = fill(&lane, "down.example", 1, 4).await;
    let waits = {
        let lane = Arc::clone(&lane);
        tokio::spawn(async move { lane.take(who("down.example", 2)).await.map(drop) })
    };
    tokio::task::yield_now().await;
    full[0].failed();
    assert!(!waits.is_finished() && !lane.rests(&host("down.example")));
    full[1].failed();
    full[2].failed();
    drop(full);
    let began = Instant::now();
    assert_eq!(waits.await.unwrap(), Err(FetchError::Busy), "who waits for it hears of it");
    assert_eq!(lane.take(who("down.example", 1)).await.unwrap_err(), FetchError::Busy);
    assert!(began.elapsed() < Duration::from_millis(100), "at once");
    drop(lane.take(who("good.example", 1)).await.unwrap());

    tokio::time::sleep(Duration::from_millis(200)).await;
    let trial = lane.take(who("down.example", 1)).await.unwrap();
    assert!(!lane.locked().running.has_room(&who("down.example", 1), &lane.most(&host("down.example"))));
    trial.failed();
    assert!(lane.rests(&host("down.example")), "one more is enough");
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(lane.rests(&host("down.example")), "for twice as long");
    tokio::time::sleep(Duration::from_millis(150)).await;
    drop(trial);
    let again = lane.take(who("down.example", 1)).await.unwrap();
    again.answered();
    drop(fill(&lane, "down.example", 1, 3).await);
    drop(again);
}

#[tokio::test]
async fn what_is_in_memory_is_bounded_for_a_site_and_in_all() {
    let lane = lane(|bounds| bounds.bytes = (100, 40));
    let mut one = lane.take(who("a.one.example", 1)).await.unwrap();
    let mut other = lane.take(who("b.one.example", 1)).await.unwrap();
    one.hold(30).unwrap();
    assert_eq!(other.hold(11), Err(FetchError::Busy));
    other.hold(10).unwrap();
    let kept = one.into_held();
    assert_eq!(lane.locked().running.in_all, 1, "its place is free, its bytes are not");
    assert_eq!(other.hold(1), Err(FetchError::Busy));
    let mut two = lane.take(who("two.example", 1)).await.unwrap();
    two.hold(40).unwrap();
    let mut three = lane.take(who("three.example", 1)).await.unwrap();
    assert_eq!(three.hold(21), Err(FetchError::Busy), "in all");
    drop(kept);
    three.hold(21).unwrap();
    drop((two, three, other));
    assert_eq!(lane.locked().bytes, 0);
    assert!(lane.locked().bytes_by_site.is_empty());
}
