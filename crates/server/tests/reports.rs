//! `porchlight report …`: what was reported, as those who have the machine see it.

use serde_json::Value;

use crate::cli::Home;

#[tokio::test]
async fn reports_are_listed_shown_and_resolved() {
    let home = Home::new();
    for name in ["dana", "eve"] {
        home.make(name);
    }
    assert_eq!(home.ask(&["report", "list"]), "Nothing waits to be looked at.\n");
    assert_eq!(home.ask_json(&["report", "list"]), serde_json::json!([]));
    let config = server::config::Config { data_dir: home.0.path().join("data"), ..Default::default() };
    let db = storage::Db::connect(&config.storage(), domain::Clock::System).await.unwrap();
    let media = media::MediaStore::on_disk(&config.media_dir()).unwrap();
    let app = app::App::open(db, config.url.clone(), config.app(), media).await.unwrap();
    let mut conn = app.db.read().await.unwrap();
    let dana = storage::accounts::by_handle(&mut conn, "dana", None).await.unwrap().unwrap();
    let eve = storage::accounts::by_handle(&mut conn, "eve", None).await.unwrap().unwrap();
    drop(conn);
    let new = |comment: &str| app::reports::create::New {
        target: eve.id,
        posts: Vec::new(),
        comment: comment.to_owned(),
        category: domain::report::ReportCategory::Spam,
        rules: Vec::new(),
        forward: false,
    };
    // What a terminal would obey is not printed.
    let first = app::reports::create::create(&app, &dana, new("sells\n\u{1b}[2Jthings")).await.unwrap().id.to_string();
    app::reports::create::create(&app, &dana, new("")).await.unwrap();
    app.db.close().await;

    let listed = home.ask(&["report", "list"]);
    let row: Vec<&str> = listed.lines().nth(2).unwrap().split_whitespace().collect();
    assert_eq!((row[0], &row[2..]), (first.as_str(), &["open", "@eve", "@dana", "spam", "sells", "[2Jthings"][..]));
    let shown = home.ask(&["report", "show", &first]);
    assert!(shown.ends_with("\nsells\n[2Jthings\n"), "{shown}");
    assert!(!shown.contains('\u{1b}'), "{shown}");
    let told = home.ask_json(&["report", "show", &first]);
    assert_eq!((&told["by"], &told["about"], &told["category"]), (&"@dana".into(), &"@eve".into(), &"spam".into()));
    assert_eq!((&told["comment"], &told["resolved_at"]), (&"sells\n[2Jthings".into(), &Value::Null));

    assert_eq!(home.ask(&["report", "resolve", &first]), "It is dealt with.\n");
    assert_eq!(home.ask_json(&["report", "list"]).as_array().unwrap().len(), 1);
    let all = home.ask_json(&["report", "list", "--all"]);
    assert_eq!((all.as_array().unwrap().len(), &all[1]["resolved_by"]), (2, &"the operator".into()));
    assert_eq!(home.ask(&["report", "reopen", &first]), "It is open again.\n");
    assert_eq!(home.ask_json(&["report", "list"]).as_array().unwrap().len(), 2);
    for wrong in [["report", "show", "1"], ["report", "resolve", "1"], ["report", "reopen", "1"]] {
        assert!(home.refused(&wrong).contains("there is no such report"), "{wrong:?}");
    }
    assert!(home.refused(&["report", "show", "first"]).contains("invalid value"));
}
