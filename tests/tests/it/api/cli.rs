//! The command line's listings: exit codes and the shapes of `--json`.

use serde_json::{Value, json};

use super::{House, shape};

#[tokio::test]
async fn exit_codes_tell_what_kind_of_no_it_is() {
    let house = House::open().await;
    let nowhere = "postgres://nobody@127.0.0.1:1/none";
    let event = uuid::Uuid::nil().to_string();
    for (arguments, expected) in [
        (vec!["jobs", "show", "4711"], 3),
        (vec!["jobs", "cancel", "4711"], 3),
        (vec!["jobs", "resume", "--kind", "none"], 3),
        (vec!["jobs", "pause"], 2),
        (vec!["dead", "show", "4711"], 3),
        (vec!["dead", "replay"], 2),
        (vec!["dead", "ls", "--reason", "boredom"], 2),
        (vec!["events", "show", &event], 3),
        (vec!["events", "replay"], 2),
        (vec!["events", "ls", "--from", "yesterday"], 2),
        (vec!["signals", "show", "none"], 3),
        (vec!["signals", "ls", "--severity", "huge"], 2),
        (vec!["completions", "fish"], 0),
        (vec!["events", "ls"], 0),
    ] {
        let done = house.app.run(&arguments).await;
        assert_eq!(done.status.code(), Some(expected), "{arguments:?}: {}", done.stderr);
    }
    let lost = millrace_tests::App::without_database(&[]).env("DATABASE_URL", nowhere);
    assert_eq!(lost.run(&["jobs", "ls"]).await.status.code(), Some(4));
}

#[tokio::test]
async fn listings_have_a_shape_that_programs_can_rely_on() {
    let house = House::open().await;
    house.signal(json!({ "verbatim": "It is slow", "severity": "low" })).await;
    house
        .app
        .run_json(&["--json", "jobs", "pause", "--kind", "normalize", "--reason", "test"])
        .await;
    house.sender.send("", &json!({ "verbatim": "It waits" })).await;
    let mut shapes = serde_json::Map::new();
    for command in ["events ls --state normalized", "jobs ls --kind normalize", "dead ls"] {
        let mut arguments = vec!["--json"];
        arguments.extend(command.split(' '));
        let listed: Value = house.app.run_json(&arguments).await;
        shapes.insert(command.into(), shape(&listed));
    }
    let dry = house.app.run_json(&["--json", "events", "replay", "--all", "--dry-run"]).await;
    shapes.insert("events replay --dry-run".into(), shape(&dry));
    for path in ["/v1/events", "/v1/jobs?kind=normalize", "/v1/sources", "/v1/stats"] {
        let mut answer = house.get(path).await.1;
        if let Some(kinds) = answer.get_mut("queue").and_then(Value::as_array_mut) {
            // Maintenance may have a job of its own at any time.
            kinds.retain(|k| k["kind"] == "normalize");
        }
        shapes.insert(path.into(), shape(&answer));
    }
    insta::assert_json_snapshot!(shapes);
}
