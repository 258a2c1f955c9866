//! A member's live events, gathered while she listens.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::task::JoinHandle;

use crate::person::Person;

/// Listens to `GET /api/v1/streaming/user` until it is dropped or the server goes away.
#[derive(Debug)]
pub struct Listener {
    updates: Arc<Mutex<HashMap<String, usize>>>,
    listening: JoinHandle<()>,
}

impl Listener {
    /// Begins to listen; from now on nothing is missed.
    ///
    /// # Panics
    /// When the stream is refused.
    pub async fn start(person: &Person) -> Self {
        let request = person.request(http::Method::GET, "/api/v1/streaming/user");
        let mut stream = request.send().await.unwrap();
        assert_eq!(stream.status(), 200);
        let updates = Arc::new(Mutex::new(HashMap::new()));
        let gathered = Arc::clone(&updates);
        let listening = tokio::spawn(async move {
            let mut bytes = Vec::new();
            while let Ok(Some(chunk)) = stream.chunk().await {
                bytes.extend_from_slice(&chunk);
                while let Some(end) = bytes.windows(2).position(|two| two == b"\n\n") {
                    let event = String::from_utf8(bytes.drain(..end + 2).collect()).unwrap();
                    if let Some(data) = event.strip_prefix("event: update\ndata: ") {
                        let post: Value = serde_json::from_str(data.trim_end()).unwrap();
                        let id = post["id"].as_str().unwrap().to_owned();
                        *gathered.lock().unwrap().entry(id).or_default() += 1;
                    }
                }
            }
        });
        Self { updates, listening }
    }

    /// How often each post has come as an `update`, by its id.
    ///
    /// # Panics
    /// When the stream has ended, or what came was no event.
    #[must_use]
    pub fn updates(&self) -> HashMap<String, usize> {
        assert!(!self.listening.is_finished(), "nobody listens any more");
        self.updates.lock().unwrap().clone()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.listening.abort();
    }
}
