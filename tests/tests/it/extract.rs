//! The extraction heads on words they were not trained on: right where they speak, silent where they must be.

use millrace_config::Settings;
use millrace_jobs::{
    embed::open,
    signals::extract::{Heads, extract, training_texts},
};
use millrace_tests::home;

/// Text, severity, frequency (`-`: either answer is a matter of taste; empty: must be unknown).
const SAID: &[(&str, &str, &str)] = &[
    (
        "Nobody here has been able to get into the system since eight, the whole plant is idle.",
        "critical",
        "-",
    ),
    ("After the upgrade all our patient files are gone.", "critical", "-"),
    ("Anyone with the link can read salaries of the entire company!", "critical", "-"),
    ("Our production is down and we lose money every minute.", "critical", "-"),
    ("The invoice generator crashes on large orders and we redo them.", "high", "-"),
    ("Sync with Outlook has stopped working, appointments go missing.", "high", "-"),
    ("The amounts on the quote are wrong whenever there is a discount.", "high", "-"),
    ("I have to copy the totals by hand into another sheet.", "medium", "-"),
    ("Filtering the list is tedious, it needs five clicks.", "medium", "-"),
    ("A dark mode would be nice some day.", "low", "-"),
    ("There is a typo in the footer of the login page.", "low", "-"),
    ("Could the buttons be a slightly friendlier blue?", "low", "-"),
    ("This happens to all of our drivers, every single morning.", "-", "common"),
    ("We run into it constantly.", "-", "common"),
    ("Every now and then a label comes out blank.", "-", "occasional"),
    ("Sometimes the map stays grey.", "-", "occasional"),
    ("It has happened exactly once in two years.", "-", "rare"),
    ("This is an edge case that almost nobody meets.", "-", "rare"),
    ("Which of the plans includes single sign-on?", "", ""),
    ("Please send the contract to our new address.", "", ""),
    ("We met your colleague at the fair in May.", "", ""),
    ("How can I change the language of my profile?", "", ""),
    ("The course has twelve lessons and a final exam.", "", ""),
    ("Our office moved to the second floor.", "", ""),
];

#[tokio::test]
async fn heads_are_right_where_they_speak() {
    let settings = Settings::from_parts(&home(), None, std::iter::empty()).unwrap();
    let embedder = open(&settings).unwrap();
    let heads = Heads::fit(&embedder.embed(training_texts()).await.unwrap());
    let texts: Vec<String> = SAID.iter().map(|(text, ..)| (*text).to_owned()).collect();
    let vectors = embedder.embed(texts).await.unwrap();
    let (mut right, mut wrong, mut silent) = (0, Vec::new(), Vec::new());
    for ((text, severity, frequency), vector) in SAID.iter().zip(&vectors) {
        let found = extract(text, vector, &heads);
        for (wanted, got) in [(severity, found.severity), (frequency, found.frequency)] {
            let got = got.map_or(String::new(), |f| f.value);
            match (*wanted, got.as_str()) {
                ("-", _) => {}
                (wanted, got) if wanted == got => right += 1,
                (wanted, "") => silent.push(format!("{wanted}: {text}")),
                (wanted, got) => wrong.push(format!("{got} for {wanted:?}: {text}")),
            }
        }
    }
    println!("{right} right, silent: {silent:#?}, wrong: {wrong:#?}");
    assert!(wrong.len() <= 2, "{wrong:#?}");
    assert!(silent.len() <= 6, "{silent:#?}");
}
