//! The command line: what it answers, and what it refuses and how.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a database of its own, and the program in it.
pub struct Home(pub TempDir);

impl Home {
    fn empty() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn new() -> Self {
        let home = Self::empty();
        home.ask(&["migrate"]);
        home
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_porchlight"));
        command.args(arguments).current_dir(self.0.path()).env_clear();
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).stdin(Stdio::null()).output().unwrap()
    }

    /// What it printed; it must have succeeded without complaint.
    pub fn ask(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && complaint.is_empty(), "{arguments:?}: {complaint}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn ask_json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.ask(&[arguments, &["--json"]].concat())).unwrap()
    }

    /// What it complained of; it must have failed and printed nothing else.
    pub fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?} should have been refused");
        assert_eq!(String::from_utf8(output.stdout).unwrap(), "", "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// What it printed, having read `input`; it must have succeeded.
    fn told(&self, arguments: &[&str], input: &str) -> String {
        let mut program = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        program.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = program.wait_with_output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    pub fn make(&self, name: &str) {
        let email = format!("{name}@maple.example");
        self.ask(&["account", "create", name, "--email", &email, "--password", "correct-horse"]);
    }
}

#[test]
fn a_right_configuration_is_shown() {
    let home = Home::empty();
    assert!(home.ask(&["check-config"]).ends_with("The configuration is right.\n"));
    let answer = home.ask_json(&["check-config"]);
    assert_eq!(answer["ok"], true);
    assert_eq!(answer["config"]["bind"], "127.0.0.1:4000");
    assert!(!home.0.path().join("data").exists(), "looking at the configuration touches nothing");
}

#[test]
fn a_wrong_configuration_stops_every_command_before_it_begins() {
    let home = Home::empty();
    std::fs::write(home.0.path().join("config.toml"), "sign_up = 'perhaps'\n").unwrap();
    for command in [&["check-config"][..], &["migrate"], &["serve"], &["account", "list"], &[]] {
        let complaint = home.refused(command);
        assert!(complaint.contains("`sign_up` in config.toml is `perhaps`; allowed: open, approval"), "{complaint}");
    }
    assert!(!home.0.path().join("data").exists());
    let output = home.run(&["check-config", "--json"]);
    assert!(!output.status.success());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["mistakes"].as_array().unwrap().len(), 1);
}

#[test]
fn the_environment_and_a_named_file_reach_the_program() {
    let home = Home::empty();
    std::fs::write(home.0.path().join("maple.toml"), "url = 'https://maple.example'\n").unwrap();
    let output = home
        .command(&["check-config", "--json"])
        .env("PORCHLIGHT_CONFIG", "maple.toml")
        .env("PORCHLIGHT_DATABASE_URL", "postgres://porchlight:geheim@127.0.0.1/porchlight")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("https://maple.example"), "{text}");
    assert!(text.contains("postgres://porchlight:…@127.0.0.1/porchlight") && !text.contains("geheim"), "{text}");
    assert!(home.refused(&["check-config", "--config", "missing.toml"]).contains("cannot read missing.toml"));
}

/// What it was pointed at by mistake stays as it was.
#[test]
fn a_command_makes_no_community_where_there_is_none() {
    let home = Home::empty();
    for command in [
        &["account", "create", "dana", "--email", "dana@maple.example", "--password", "correct-horse", "--owner"][..],
        &["account", "list"],
        &["community", "show"],
        &["domain", "list"],
        &["invite", "list"],
    ] {
        let complaint = home.refused(command);
        assert!(complaint.contains("there is no database at") && complaint.contains("--config"), "{complaint}");
    }
    assert!(!home.0.path().join("data").exists());
}

#[test]
fn members_are_made_listed_and_shown() {
    let home = Home::new();
    home.make("dana");
    let made = home.ask_json(&[
        "account",
        "create",
        "@priya",
        "--email",
        "priya@maple.example",
        "--password",
        "correct-horse",
        "--owner",
    ]);
    assert_eq!((made["username"].as_str(), made["role"].as_str()), (Some("priya"), Some("owner")));
    assert_eq!(made["state"], "active");

    let all = home.ask_json(&["account", "list"]);
    let names: Vec<_> = all.as_array().unwrap().iter().map(|member| member["username"].as_str().unwrap()).collect();
    assert_eq!(names, ["priya", "dana"], "newest first");
    assert_eq!(home.ask_json(&["account", "list", "--waiting"]), Value::Array(vec![]));
    let shown = home.ask_json(&["account", "show", "dana"]);
    assert_eq!(shown["email"], "dana@maple.example");
    assert_eq!(shown["role"], "member");
}

#[test]
fn a_token_is_printed_alone() {
    let home = Home::new();
    home.make("dana");
    let token = home.ask(&["account", "token", "dana", "--scopes", "read write:statuses"]);
    assert!(token.trim_end().len() >= 40 && token.lines().count() == 1 && !token.contains(' '), "{token}");
    assert_ne!(home.ask(&["account", "token", "dana"]), token);
    let unknown = home.refused(&["account", "token", "dana", "--scopes", "read fly"]);
    assert!(unknown.contains("there is no scope fly"), "{unknown}");
    assert!(home.refused(&["account", "token", "dana", "--scopes", ""]).contains("name at least one"));
    let admin = ["account", "token", "dana", "--scopes", "read admin:read"];
    assert!(home.refused(&admin).contains("no token of theirs may have admin scopes"));
    home.ask(&["account", "role", "dana", "--moderator"]);
    assert!(home.ask(&admin).trim_end().len() >= 40);
    home.ask(&["account", "disable", "dana"]);
    assert!(home.refused(&["account", "token", "dana"]).contains("cannot sign in (disabled)"));
}

#[test]
fn members_are_looked_after() {
    let home = Home::new();
    home.make("dana");
    let state = |name: &str| home.ask_json(&["account", "show", name])["state"].as_str().unwrap().to_owned();
    assert_eq!(home.ask(&["account", "disable", "dana"]), "@dana is closed\n");
    assert_eq!(state("dana"), "disabled");
    home.ask(&["account", "enable", "@dana"]);
    assert_eq!(state("dana"), "active");
    home.ask(&["account", "role", "dana", "--owner"]);
    assert_eq!(home.ask_json(&["account", "show", "dana"])["role"], "owner");
    assert!(home.refused(&["account", "disable", "dana"]).contains("owner"), "the only owner cannot be closed");

    home.make("priya");
    home.ask(&["account", "reset-password", "priya", "--password", "battery-staple"]);
    assert!(home.refused(&["account", "reset-password", "priya", "--password", "short"]).contains("password"));
    assert!(home.refused(&["account", "delete", "priya"]).contains("give --yes"));
    home.ask(&["account", "delete", "priya", "--yes"]);
    assert!(home.refused(&["account", "show", "priya"]).contains("nobody here is called priya"));
    assert!(home.refused(&["account", "approve", "priya"]).contains("nobody here is called priya"));
}

#[test]
fn invites_are_made_listed_and_taken_back() {
    let home = Home::new();
    let link = home.ask(&["invite", "create"]);
    assert!(link.starts_with("http://localhost:4000/invite/") && link.lines().count() == 1, "{link}");
    let open = home.ask_json(&["invite", "create", "--uses", "any", "--expires", "never"]);
    assert_eq!((&open["max_uses"], &open["expires_at"]), (&Value::Null, &Value::Null));

    let states = || -> Vec<String> {
        let all = home.ask_json(&["invite", "list"]);
        all.as_array().unwrap().iter().map(|invite| invite["state"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(states(), ["open", "open"]);
    home.ask(&["invite", "revoke", link.trim()]);
    home.ask(&["invite", "revoke", open["code"].as_str().unwrap()]);
    assert_eq!(states(), ["revoked", "revoked"]);
    assert!(home.refused(&["invite", "revoke", link.trim()]).contains("taken back before"));
    assert!(home.refused(&["invite", "revoke", "nothing"]).contains("there is no such link"));
    let nobody = home.refused(&["invite", "create", "--uses", "0"]);
    assert!(nobody.contains("nobody could join by it: write a number from 1, or any"), "{nobody}");
    assert!(home.refused(&["invite", "create", "--uses", "many"]).contains("write a number, or any"));
    assert!(home.refused(&["invite", "create", "--uses", "1001"]).contains("uses must be from 1 to 1000"));
    assert!(home.refused(&["invite", "create", "--expires", "3y"]).contains("7d"));
    assert!(home.refused(&["invite", "create", "--expires", "99w"]).contains("at most a year"));
}

#[test]
fn what_cannot_be_made_is_refused_in_plain_words() {
    let home = Home::new();
    home.make("dana");
    let create = |name: &str, email: &str, password: &str| {
        home.refused(&["account", "create", name, "--email", email, "--password", password])
    };
    assert!(create("dana", "other@maple.example", "correct-horse").contains("username is taken"));
    assert!(create("other", "dana@maple.example", "correct-horse").contains("email belongs to a member already"));
    assert!(create("other", "other@maple.example", "short").contains("password must have at least"));
    assert!(create("o t h e r", "other@maple.example", "correct-horse").contains("username"));
    assert!(home.refused(&["account", "show", "nobody"]).contains("nobody here is called nobody"));
}

#[test]
fn all_that_is_wrong_is_named_at_once() {
    let home = Home::new();
    home.make("dana");
    let complaint = home.refused(&["account", "create", "d a n a", "--email", "nobody", "--password", "short"]);
    for part in ["porchlight: username ", "; email must be an e-mail address; ", "password must have at least 8"] {
        assert!(complaint.contains(part), "{complaint}");
    }
    let taken = home.refused(&["account", "create", "Dana", "--email", "dana@maple.example", "--password", "short"]);
    assert!(taken.contains("username is taken; email belongs to a member already; password must"), "{taken}");
    // Before a password is asked for, and without a word about it.
    let early = home.refused(&["account", "create", "Dana", "--email", "nobody"]);
    assert!(early.contains("username is taken; email must") && !early.contains("password"), "{early}");
    assert_eq!(home.ask_json(&["account", "list"]).as_array().unwrap().len(), 1);
}

#[test]
fn scripts_are_told_of_failures_in_json() {
    let home = Home::new();
    home.make("dana");
    let failed = |code: i32, arguments: &[&str]| -> Value {
        let output = home.run(&[arguments, &["--json"]].concat());
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(code), &b""[..]), "{arguments:?}");
        serde_json::from_slice(&output.stderr).unwrap_or_else(|e| panic!("{e}: {output:?}"))
    };
    let wrong = failed(1, &["account", "create", "dana", "--email", "nobody", "--password", "correct-horse"]);
    assert_eq!(wrong["error"], "username is taken; email must be an e-mail address");
    assert_eq!(wrong["fields"], serde_json::json!({"username": "is taken", "email": "must be an e-mail address"}));
    let wrong = failed(1, &["account", "reset-password", "dana", "--password", "short"]);
    assert_eq!(wrong["fields"]["password"], "must have at least 8 characters");
    let nobody = failed(1, &["account", "show", "nobody"]);
    assert!(nobody["error"].as_str().unwrap().contains("nobody here is called nobody") && nobody["fields"].is_null());
    let usage = failed(2, &["account", "show"]);
    assert!(usage["error"].as_str().unwrap().starts_with("the following required arguments"), "{usage}");
    let scope = failed(2, &["account", "token", "dana", "--scopes", "fly"]);
    assert!(scope["error"].as_str().unwrap().contains("there is no scope fly"), "{scope}");
    assert_eq!(home.run(&["account", "show"]).status.code(), Some(2), "as without --json");
    std::fs::write(home.0.path().join("config.toml"), "sign_up = 'perhaps'\nbind = 'nowhere'\n").unwrap();
    assert_eq!(failed(1, &["account", "list"])["mistakes"].as_array().unwrap().len(), 2);
}

#[test]
fn communities_are_blocked_limited_and_taken_back() {
    let home = Home::new();
    assert_eq!(home.ask_json(&["domain", "list"]), serde_json::json!([]));
    let said = home.ask(&["domain", "block", "https://Willow.example/", "--reason", "they will not stop"]);
    assert_eq!(said, "willow.example is blocked: 0 known accounts, 0 follows ended, 0 deliveries dropped.\n");
    assert_eq!(home.ask(&["domain", "limit", "oak.example"]), "oak.example is limited.\n");
    let listed = home.ask_json(&["domain", "list"]);
    let of = |n: usize, key: &str| listed[n][key].as_str().unwrap().to_owned();
    assert_eq!(
        (of(0, "domain"), of(0, "is"), of(0, "reason")),
        ("oak.example".into(), "limited".into(), String::new())
    );
    assert_eq!(
        (of(1, "domain"), of(1, "is"), of(1, "reason")),
        ("willow.example".into(), "blocked".into(), "they will not stop".into())
    );
    let table = home.ask(&["domain", "list"]);
    assert!(table.lines().nth(2).unwrap().starts_with("willow.example  blocked  "), "{table}");
    // Limited now; why it was blocked is not forgotten.
    home.ask(&["domain", "limit", "willow.example"]);
    let listed = home.ask_json(&["domain", "list"]);
    assert_eq!((&listed[1]["is"], &listed[1]["reason"]), (&"limited".into(), &"they will not stop".into()));
    home.ask(&["domain", "remove", "willow.example"]);
    assert_eq!(home.ask_json(&["domain", "list"]).as_array().unwrap().len(), 1);
    assert!(home.refused(&["domain", "remove", "willow.example"]).contains("nothing was decided about it"));
    assert!(
        home.refused(&["domain", "block", "not a domain"]).contains("domain must be a domain, such as willow.example")
    );
    assert!(home.refused(&["domain", "block", "localhost:4000"]).contains("is this community's own"));
}

#[test]
fn what_the_community_says_of_itself_is_shown_and_changed() {
    let home = Home::new();
    let fresh = home.ask_json(&["community", "show"]);
    assert_eq!((&fresh["title"], &fresh["rules"]), (&"Porchlight".into(), &serde_json::json!([])));
    let set = [
        &["community", "set", "--title", "Maple  Street", "--description", "Two teens, no sleep."][..],
        &["--about", "Once a week\nwe meet.\n\nSee https://maple.example/<b>", "--contact", " hello@maple.example "],
        &["--rule", "Be kind.", "--rule", "What is told here\nstays here."],
    ]
    .concat();
    let said = home.ask(&set);
    assert!(
        said.contains("title        Maple Street\n") && said.contains("rule 2       What is told here stays here.\n"),
        "{said}"
    );
    let now = home.ask_json(&["community", "show"]);
    assert_eq!(now["about"], "Once a week\nwe meet.\n\nSee https://maple.example/<b>");
    assert_eq!((&now["description"], &now["contact"]), (&"Two teens, no sleep.".into(), &"hello@maple.example".into()));
    assert_eq!(now["rules"], serde_json::json!(["Be kind.", "What is told here stays here."]));

    let one = home.ask_json(&["community", "set", "--title", "Maple Street Parents"]);
    assert_eq!((&one["rules"], &one["about"]), (&now["rules"], &now["about"]), "the rest stays");
    let gone = home.ask_json(&["community", "set", "--no-rules", "--contact", "", "--about", ""]);
    assert_eq!((&gone["rules"], &gone["contact"], &gone["about"]), (&serde_json::json!([]), &"".into(), &"".into()));
    let long = "x".repeat(101);
    for (wrong, says) in [
        (&["--title", " "][..], "title must not be empty"),
        (&["--title", &long], "title must have at most 100 characters"),
        (&["--contact", "nobody"], "contact must be an e-mail address"),
        (&["--rule", ""], "a rule must not be empty"),
        (&["--rule", "Be kind.", "--no-rules"], "cannot be used with"),
        (&[], "required"),
    ] {
        let complaint = home.refused(&[&["community", "set"], wrong].concat());
        assert!(complaint.contains(says), "{complaint}");
    }
    assert_eq!(home.ask_json(&["community", "show"])["title"], "Maple Street Parents");
}

#[test]
fn a_password_can_be_piped_in() {
    let home = Home::new();
    let said = home.told(&["account", "create", "dana", "--email", "dana@maple.example"], "correct-horse\n");
    assert!(said.starts_with("@dana@localhost:4000 is made"), "{said}");
    let said = home.told(&["account", "reset-password", "dana"], "battery-staple\r\n");
    assert_eq!(said, "@dana has a new password and is signed out everywhere\n");
    assert!(home.refused(&["account", "reset-password", "dana"]).contains("write it to standard input"));
}

#[test]
fn bringing_tables_up_to_date_is_answered_as_asked() {
    let home = Home::empty();
    assert_eq!(home.ask(&["migrate"]), "The database is up to date.\n");
    assert_eq!(home.ask_json(&["migrate"]), serde_json::json!({ "ok": true }));
}

/// Without anybody to ask, a password that is not given is an error and not a wait.
#[test]
#[cfg(target_os = "linux")]
fn no_terminal_no_question() {
    let home = Home::new();
    // A session of its own has no terminal to ask on.
    let output = Command::new("setsid")
        .args([
            "--wait",
            env!("CARGO_BIN_EXE_porchlight"),
            "account",
            "create",
            "dana",
            "--email",
            "dana@maple.example",
        ])
        .current_dir(home.0.path())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(String::from_utf8(output.stderr).unwrap().contains("give --password"));
}

/// On a public address the first visit needs a code, and only whoever started the server sees it; with an owner there
/// is nothing to set up.
#[test]
fn a_new_server_prints_where_it_is_set_up() {
    let home = Home::new();
    let printed_at = |url: &str, bind: &str| {
        let mut serve = home.command(&["serve"]);
        serve.env("PORCHLIGHT_URL", url).env("PORCHLIGHT_BIND", bind).env("PORCHLIGHT_LOG__LEVEL", "info");
        let mut server = serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap());
        let (mut said, mut out) = (String::new(), String::new());
        while !said.contains("Porchlight is at") && log.read_line(&mut said).unwrap() > 0 {}
        let id = server.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        server.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        log.read_to_string(&mut said).unwrap();
        assert!(server.wait().unwrap().success(), "{said}");
        assert!(!said.contains("code="), "{said}");
        out
    };
    let printed = |url: &str| printed_at(url, "127.0.0.1:0");
    let public = printed("https://maple.example");
    let code = public.strip_prefix("Set-up: https://maple.example/set-up?code=").unwrap().trim_end();
    assert!(code.len() == 20 && code.bytes().all(|b| b.is_ascii_hexdigit()), "{public}");
    assert_eq!(printed("https://maple.example"), public, "the same after a restart");
    assert_eq!(printed("http://localhost:4000"), "Set-up: http://localhost:4000/set-up\n");
    let open_door = printed_at("http://localhost:4000", "0.0.0.0:0");
    assert_eq!(open_door, format!("Set-up: http://localhost:4000/set-up?code={code}\n"), "others can come by");
    home.ask(&["account", "create", "dana", "--email", "d@maple.example", "--password", "correct-horse", "--owner"]);
    assert_eq!(printed("http://localhost:4000"), "");
}

/// Every id that was given out begins with the address: nothing begins on a database whose members live elsewhere, not
/// when the first of them is deleted, and with https instead of http neither. Who has no members may still choose.
#[test]
fn an_address_that_was_given_out_cannot_be_changed() {
    let home = Home::new();
    let at = |url: &str, arguments: &[&str]| {
        let mut command = home.command(arguments);
        command.env("PORCHLIGHT_URL", url).env("PORCHLIGHT_BIND", "127.0.0.1:0").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = command.spawn().unwrap();
        if arguments == ["serve"] {
            // Had it begun, it would go on for ever.
            let mut said = String::new();
            let mut log = BufReader::new(program.stderr.take().unwrap());
            while !said.contains("Porchlight is at") && log.read_line(&mut said).unwrap() > 0 {}
            drop(program.kill());
            program.wait().unwrap();
            return (said.contains("Porchlight is at"), said);
        }
        let output = program.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let make = |name: &'static str| {
        let email = match name {
            "dana" => "dana@mail.example",
            _ => "priya@mail.example",
        };
        ["account", "create", name, "--email", email, "--password", "correct-horse"]
    };
    assert!(at("http://localhost:4000", &["migrate"]).0);
    assert!(at("http://localhost:4000", &["serve"]).0);
    assert!(at("https://maple.example", &["serve"]).0, "nobody is here yet");
    assert!(at("https://maple.example", &make("dana")).0);
    let verbs: [&[&str]; 6] = [
        &["serve"],
        &make("priya"),
        &["account", "disable", "dana"],
        &["community", "set", "--title", "Maple Street"],
        &["domain", "block", "oak.example"],
        &["invite", "create"],
    ];
    for url in ["http://localhost:4000", "http://maple.example", "https://maple.example:8443"] {
        for verb in verbs {
            let (begun, said) = at(url, verb);
            assert!(!begun, "{url} {verb:?}");
            for part in [&format!("url is {url}, but"), "live at https://maple.example,", "set `url` to https://maple"]
            {
                assert!(said.contains(part), "{url} {verb:?}: {said}");
            }
        }
    }
    assert!(at("https://maple.example", &["account", "delete", "dana", "--yes"]).0);
    assert!(!at("http://localhost:4000", &make("priya")).0, "others still know who lived there");
    assert!(at("https://maple.example", &["serve"]).0);
    assert!(at("https://maple.example", &make("priya")).0);
}

/// Two ports side by side that were free just now.
fn two_free_ports() -> u16 {
    (20_000..30_000)
        .step_by(7)
        .map(|n| n + u16::try_from(std::process::id() % 1_000).unwrap())
        .find(|port| [0, 1].iter().all(|next| TcpListener::bind(("127.0.0.1", port + next)).is_ok()))
        .unwrap()
}

/// The story arrives on both sides, and what is printed opens it.
#[test]
fn the_demo_tells_a_script_what_to_open() {
    let home = Home::new();
    let port = two_free_ports().to_string();
    let mut demo = home.command(&["demo", "--json", "--port", &port]).stdout(Stdio::piped()).spawn().unwrap();
    let mut said = serde_json::Deserializer::from_reader(demo.stdout.take().unwrap()).into_iter::<Value>();
    let guide = said.next().unwrap().unwrap();
    let maple = format!("http://maple.localhost:{port}");
    assert_eq!(guide["communities"][0]["url"], maple.as_str());
    let names = |n: usize| -> Vec<&str> {
        let members = guide["communities"][n]["members"].as_array().unwrap();
        members.iter().map(|member| member["username"].as_str().unwrap()).collect()
    };
    assert_eq!((names(0), names(1)), (vec!["dana", "priya", "june"], vec!["marisol", "tess", "ola"]));
    let (token, curl) = (guide["access_token"].as_str().unwrap(), guide["curl"].as_str().unwrap());
    assert_eq!(curl, format!("curl -H 'Authorization: Bearer {token}' {maple}/api/v1/timelines/home"));
    let ask = |url: &str| {
        let host = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
        let (_, port) = host.split_once(':').unwrap();
        let mut socket = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        let path = url.split_once(host).unwrap().1;
        let bearer = format!("Authorization: Bearer {token}");
        write!(socket, "GET {path} HTTP/1.0\r\nHost: {host}\r\n{bearer}\r\n\r\n").unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    };
    for way in guide["open"].as_array().unwrap() {
        let answer = ask(way["url"].as_str().unwrap());
        assert!(answer.starts_with("HTTP/1.0 200") || answer.starts_with("HTTP/1.1 200"), "{way}: {answer}");
    }
    let home_timeline = ask(&format!("{maple}/api/v1/timelines/home?limit=40"));
    let posts: Value = serde_json::from_str(home_timeline.split_once("\r\n\r\n").unwrap().1).unwrap();
    let posts = posts.as_array().unwrap();
    let some = |what: &str, is: fn(&Value) -> bool| assert!(posts.iter().any(is), "no {what} in {posts:#?}");
    some("post from the other community", |p| p["account"]["acct"].as_str().unwrap().starts_with("ola@willow."));
    some("two pictures, described", |p| {
        let pictures = p["media_attachments"].as_array().unwrap();
        pictures.len() == 2 && pictures.iter().all(|m| m["description"].as_str().is_some_and(|d| d.len() > 20))
    });
    some("content warning", |p| p["spoiler_text"] != "");
    some("post shared again", |p| p["reblog"].is_object());
    some("post for followers", |p| p["visibility"] == "private");
    some("post in Spanish", |p| p["language"] == "es");
    some("post of yesterday that many like", |p| p["favourites_count"].as_i64().unwrap() >= 4);
    let talks = ask(&format!("{maple}/api/v1/conversations"));
    assert!(talks.contains("day shift"), "{talks}");

    let again = home.run(&["demo", "--port", &port]);
    let complaint = String::from_utf8(again.stderr).unwrap();
    assert!(
        !again.status.success() && complaint.contains(&format!("cannot have {port}; --port chooses")),
        "{complaint}"
    );
    assert!(!complaint.contains("bind"), "{complaint}");
    assert!(Command::new("kill").args(["-TERM", &demo.id().to_string()]).status().unwrap().success());
    assert!(demo.wait().unwrap().success());
}

/// A port that is taken is named with its key, and nothing is left waiting.
#[test]
fn a_taken_port_is_named() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let output = home.command(&["serve"]).env("PORCHLIGHT_BIND", &address).output().unwrap();
    assert!(!output.status.success());
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert!(complaint.contains(&format!("cannot listen on {address} (`bind`)")), "{complaint}");
}

/// The embedded database is for one server: a second one stops at once and says why, and disturbs nothing. Commands
/// work beside it, and when it is gone, however it went, the next one may serve.
#[test]
fn a_second_server_on_one_file_stops_and_says_so() {
    let home = Home::new();
    let serve = || {
        let mut serve = home.command(&["serve"]);
        serve.env("PORCHLIGHT_BIND", "127.0.0.1:0").env("PORCHLIGHT_LOG__LEVEL", "info").stdout(Stdio::null());
        serve.stderr(Stdio::piped());
        serve
    };
    for _ in 0..2 {
        let mut server = serve().spawn().unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("Porchlight is at") && log.read_line(&mut said).unwrap() > 0 {}
        assert!(said.contains("Porchlight is at"), "{said}");
        let mut second = serve().spawn().unwrap();
        let mut complaint = String::new();
        let mut log = BufReader::new(second.stderr.take().unwrap());
        while !complaint.contains("Porchlight is at") && log.read_line(&mut complaint).unwrap() > 0 {}
        // Had it begun, it would go on for ever.
        drop(second.kill());
        let file = home.0.path().join("data/porchlight.db");
        assert!(!second.wait().unwrap().success());
        assert!(
            complaint.contains("another server works on") && complaint.contains(file.to_str().unwrap()),
            "{complaint}"
        );
        home.ask(&["account", "list"]);
        server.kill().unwrap();
        server.wait().unwrap();
    }
}
