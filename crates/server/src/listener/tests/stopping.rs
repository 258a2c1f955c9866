//! What a stop of the server does to connections.

use super::*;
use crate::listener::connection::FAREWELL;

/// Somebody who asked for `path` and read the first bytes of the answer, and no more.
async fn asked(path: &str) -> (TcpStream, House) {
    let house = open(Bounds::default()).await;
    let reader = house.peer().await;
    asked_on(reader, house, path).await
}

async fn asked_on(mut reader: TcpStream, house: House, path: &str) -> (TcpStream, House) {
    reader.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut first = [0; 15];
    reader.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    sleep(Duration::from_millis(200)).await;
    (reader, house)
}

#[tokio::test]
async fn at_the_stop_a_stream_does_not_wait_for_who_does_not_read() {
    let (reader, mut house) = asked("/stream").await;
    house.stop.cancel();
    timeout(FAREWELL * 3, &mut house.served).await.expect("it stops").unwrap();
    drop(reader);
}

#[tokio::test]
async fn at_the_stop_who_loads_a_file_gets_all_of_it() {
    let house = open(Bounds::default()).await;
    // That a stream went over the connection before changes nothing.
    let mut reader = house.says("HEAD /stream HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert_eq!(status(&answer(&mut reader).await), 200);
    let (mut reader, mut house) = asked_on(reader, house, "/file").await;
    house.stop.cancel();
    sleep(FAREWELL * 2).await;
    assert!(!house.served.is_finished());
    let mut rest = Vec::new();
    reader.read_to_end(&mut rest).await.unwrap();
    assert!(rest.len() > MUCH);
    (&mut house.served).await.unwrap();
}

#[tokio::test]
async fn at_the_stop_who_only_waits_is_let_go_at_once() {
    let mut house = open(Bounds::default()).await;
    let silent = house.peer().await;
    let mut idle = house.says(ASK).await;
    assert_eq!(status(&answer(&mut idle).await), 200);
    house.stop.cancel();
    timeout(Duration::from_secs(2), &mut house.served).await.expect("it stops").unwrap();
    drop(silent);
}
