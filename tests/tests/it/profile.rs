//! A brand profile is checked before it is used.

use millrace_tests::App;

#[tokio::test]
async fn a_profile_is_checked_and_all_its_problems_are_told() {
    let app = App::without_database(&[]);
    for name in ["neutral", "vita"] {
        let checked = app.run_json(&["--json", "profile", "check", name]).await;
        assert_eq!((&checked["ok"], checked["sha256"].as_str().unwrap().len()), (&true.into(), 64));
    }
    let counts = &app.run_json(&["--json", "profile", "check", "vita"]).await["counts"];
    assert_eq!((&counts["taxonomy terms"], &counts["competitors"]), (&249.into(), &16.into()));

    let shown = app.run(&["profile", "show", "neutral"]).await.stdout;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.toml");
    std::fs::write(&file, &shown).unwrap();
    let mine = file.to_str().unwrap();
    let fine = app.run(&["profile", "check", mine]).await;
    assert!(
        fine.status.success() && fine.stdout.contains("the profile is fine"),
        "{}",
        fine.stdout
    );

    std::fs::write(&file, shown.replace("sss = 0.40", "sss = 0.50").replace("\"UTC\"", "\"UTK\""))
        .unwrap();
    let wrong = app.run(&["profile", "check", mine]).await;
    assert_eq!(wrong.status.code(), Some(1));
    let paths: Vec<_> = wrong.stdout.lines().filter_map(|line| line.split(':').next()).collect();
    assert_eq!(paths, ["brand.time_zone", "weights"], "{}", wrong.stdout);
    let wrong = app.run(&["--json", "profile", "check", mine]).await;
    let told: serde_json::Value = serde_json::from_str(&wrong.stdout).unwrap();
    assert_eq!((wrong.status.code(), &told["ok"]), (Some(1), &false.into()));
    assert_eq!(told["problems"][1]["advice"], "make them sum to 1");

    for arguments in [["profile", "check", "nobody"], ["profile", "show", "nobody"]] {
        assert_eq!(app.run(&arguments).await.status.code(), Some(3));
    }
}
