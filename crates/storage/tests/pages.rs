//! Pages: no entry twice, none left out, whatever is written meanwhile.

use domain::account::Role;
use domain::page::Page;
use domain::{PostId, Viewer, Visibility};
use storage::hydrate::Found;
use storage::posts::Links;
use storage::timelines::{AccountFilter, account};
use storage::{Db, posts};

use crate::both::Fresh;
use crate::people::{member, write_member};
use crate::visible::write_post;

async fn write(db: &Db, author: &domain::account::Account, n: usize) -> Vec<PostId> {
    let mut tx = db.write().await.unwrap();
    let mut ids = Vec::new();
    for _ in 0..n {
        ids.push(write_post(&mut tx, author, Visibility::Public, &Links::default()).await.id);
    }
    tx.commit().await.unwrap();
    ids
}

async fn page(fresh: &Fresh, author: &domain::account::Account, page: Page) -> Vec<PostId> {
    let mut conn = fresh.db.read().await.unwrap();
    account(&mut conn, Viewer::Anonymous, author.id, &AccountFilter::default(), &page)
        .await
        .unwrap()
        .iter()
        .map(Found::id)
        .collect()
}

both! {
    /// Paging down while somebody posts and deletes: all that was there at the beginning, once, newest first.
    async fn paging_down_gives_each_entry_once(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let mut expected = write(&fresh.db, &dana, 25).await;
        expected.reverse();
        let gone = expected[20];
        let (mut seen, mut next) = (Vec::new(), Page::first(7));
        loop {
            let got = page(&fresh, &dana, next).await;
            assert!(got.len() <= 7);
            let Some(last) = got.last() else { break };
            next = Page { max_id: Some(last.0), ..Page::first(7) };
            seen.extend(got);
            write(&fresh.db, &dana, 3).await;
            if seen.len() == 7 {
                let mut tx = fresh.db.write().await.unwrap();
                let now = tx.now();
                assert!(posts::bury(&mut tx, gone, now).await.unwrap());
                tx.commit().await.unwrap();
            }
        }
        expected.retain(|id| *id != gone);
        assert_eq!(seen, expected);
    }

    /// `min_id` gives what comes right after it, `since_id` the newest; both newest first.
    async fn paging_up_begins_right_after_what_was_seen(fresh) {
        let dana = member(&fresh.db, "dana").await;
        let ids = write(&fresh.db, &dana, 10).await;
        let newest_first = |part: &[PostId]| part.iter().rev().copied().collect::<Vec<_>>();
        let at = ids[2].0;
        let after = page(&fresh, &dana, Page { min_id: Some(at), ..Page::first(3) }).await;
        assert_eq!(after, newest_first(&ids[3..6]));
        let newest = page(&fresh, &dana, Page { since_id: Some(at), ..Page::first(3) }).await;
        assert_eq!(newest, newest_first(&ids[7..10]));
        let between = Page { min_id: Some(at), max_id: Some(ids[5].0), ..Page::first(10) };
        assert_eq!(page(&fresh, &dana, between).await, newest_first(&ids[3..5]));
        assert!(page(&fresh, &dana, Page { min_id: Some(ids[9].0), ..Page::first(3) }).await.is_empty());
    }

    /// A list of another member's posts holds nothing of mine.
    async fn an_accounts_list_is_its_own(fresh) {
        let mut tx = fresh.db.write().await.unwrap();
        let (dana, priya) = (
            write_member(&mut tx, "dana", Role::Member).await.unwrap(),
            write_member(&mut tx, "priya", Role::Member).await.unwrap(),
        );
        tx.commit().await.unwrap();
        let hers = write(&fresh.db, &priya, 1).await;
        write(&fresh.db, &dana, 2).await;
        assert_eq!(page(&fresh, &priya, Page::first(10)).await, hers);
    }
}
