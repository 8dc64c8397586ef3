//! Generic English cue words: how somebody asks, hurries, jokes or remembers. Nothing of any brand.

use std::{collections::HashMap, sync::LazyLock};

use super::Span;

/// A kind of cue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Cue {
    Question,
    Rhetorical,
    Imperative,
    Urgency,
    Advice,
    Need,
    Comparison,
    Humour,
    Exaggeration,
    Commentary,
    Pain,
    Desperation,
    Impairment,
    Symptom,
    SelfDeprecation,
    Drama,
    Continuous,
    Obligation,
    Past,
    Watching,
}

impl Cue {
    /// Name and what it adds to SSS (spec 3.1, A to D; a question counts up to twice).
    pub(super) const fn of_sss(self) -> (&'static str, f64) {
        match self {
            Self::Question => ("question", 0.25),
            Self::Rhetorical => ("rhetorical question", 0.0),
            Self::Imperative => ("imperative", 0.20),
            Self::Urgency => ("urgency", 0.15),
            Self::Advice => ("asks for advice", 0.10),
            Self::Need => ("need", 0.10),
            Self::Comparison => ("comparison or validation", 0.08),
            Self::Humour => ("humour", -0.10),
            Self::Exaggeration => ("exaggeration", -0.10),
            Self::Commentary => ("resignation or commentary", -0.08),
            Self::Pain => ("pain", 0.20),
            Self::Desperation => ("desperation", 0.15),
            Self::Impairment => ("impairment", 0.12),
            Self::Symptom => ("symptoms", 0.10),
            Self::SelfDeprecation => ("self-deprecation", -0.12),
            Self::Drama => ("drama", -0.10),
            Self::Continuous => ("present continuous", 0.10),
            Self::Obligation => ("future obligation", 0.12),
            Self::Past => ("past, reflective", -0.08),
            Self::Watching => ("entertainment", 0.0),
        }
    }
}

impl Cue {
    const fn can_be_negated(self) -> bool {
        matches!(self, Self::Imperative | Self::Urgency | Self::Advice | Self::Need | Self::Pain)
    }
}

/// Phrases, `|` between them; matched as whole words.
const PHRASES: &[(Cue, &str)] = &[
    (
        Cue::Question,
        "how do i|how do you|how can i|what do i do|what can i|what helps|what should i|does anyone|does anybody|anyone know|anybody know|anyone else know|has anyone|has anybody|is there anything|is there a way|what's the best|what is the best|where can i",
    ),
    (
        Cue::Rhetorical,
        "why do i do this|why did i|why am i like this|why are we like this|who does that|who needs|am i right|who knew|what is wrong with me|what's wrong with me|how is it possible|how is this my life",
    ),
    (
        Cue::Imperative,
        "help me|send help|please help|someone help|somebody help|tell me|give me|someone tell|somebody tell|please tell|please recommend|recommend me|someone bring|somebody bring|fix me|save me|drop your|hit me with",
    ),
    (
        Cue::Urgency,
        "asap|right now|urgent|urgently|immediately|as soon as possible|fast|quickly|in an hour|in one hour|in two hours|in 2 hours|in 30 minutes|in 20 minutes|before work|before my|this minute|stat",
    ),
    (
        Cue::Advice,
        "any tips|tips|any advice|advice|recommend|recommendations|recommendation|suggestions|suggestion|any ideas|remedies|remedy|what works|how to|best way",
    ),
    (
        Cue::Need,
        "i need|need something|need a|need some|need help|need to fix|looking for|in need of|could use|would love something|desperately need|want something",
    ),
    (
        Cue::Comparison,
        "better than|versus|vs|does it work|do they work|does that work|does this work|actually work|actually works|anyone tried|has anyone tried|worth it|is it normal|is this normal|or should i|any good|works for you",
    ),
    (
        Cue::Humour,
        "lol|lmao|lmfao|rofl|haha|hahaha|hehe|jk|just kidding|joking|funniest|meme|memes",
    ),
    (
        Cue::Exaggeration,
        "literally|worst ever|of all time|in history|worst of my life|never drinking again|a million|a thousand|world's worst|of the century|ever in my life",
    ),
    (
        Cue::Commentary,
        "oh well|it is what it is|whatever|i guess|guess i'll|just saying|fun fact|unpopular opinion|hot take|reminder that|nothing like|imagine being|people who|that feeling when|tfw|mood|no regrets|worth every|is a myth|why people",
    ),
    (
        Cue::Pain,
        "hurts|hurting|pain|painful|killing me|aching|aches|ache|pounding|throbbing|splitting|agony|unbearable|sore|miserable|suffering",
    ),
    (
        Cue::Desperation,
        "desperate|desperately|at my wits end|at my wit's end|can't take it|can't take this|please anything|tried everything|nothing works|nothing is working|nothing helps|anything helps|i'm begging|begging|i beg you|pleading|make it stop|send help",
    ),
    (
        Cue::Impairment,
        "can't focus|can't think|can't function|can't concentrate|can't work|can't get up|can't get out of bed|can't move|can't eat|can't sleep|can't keep|can't stand|can't even stand|cannot focus|cannot think|cannot function|cannot get up|barely function|barely move|barely walk|barely open|unable to|brain fog|useless today|stuck in bed",
    ),
    (
        Cue::SelfDeprecation,
        "i'm an idiot|i am an idiot|i'm so dumb|i'm stupid|my own fault|serves me right|did this to myself|do this to myself|i never learn|never learn|i deserve this|i deserve it|bad decisions|poor life choices|my own worst enemy|i have no one to blame",
    ),
    (
        Cue::Drama,
        "i'm dead|i am dead|i'm deceased|deceased|rip me|rest in peace me|my funeral|tell my family|tell my mom|goodbye world|goodbye cruel world|this is how i die|this is the end|i have died|i've died|ded|crying screaming",
    ),
    (
        Cue::Obligation,
        "have to work|have to be|have to go|have to get|have to drive|got to be|gotta be|gotta work|gotta go|need to be|need to get to|have work|have a meeting|have a presentation|have an exam|have an interview|have a flight|have class|have a shift|meeting in|flight in|shift in|work in|work tomorrow|exam tomorrow|wedding tomorrow|big day|due today|due tomorrow|supposed to be",
    ),
    (
        Cue::Past,
        "remember when|back in|back when|used to|last year|years ago|last week|last month|that time|one time|once had|when i was|those days|in college i|good times|throwback",
    ),
    (
        Cue::Watching,
        "movie|movies|film|films|watch|watched|watching|rewatch|rewatched|rewatching|trilogy|sequel|sequels|netflix|imdb|soundtrack|actor|actors|director|box office|part ii|part 2|part iii|part 3|cinema|streaming",
    ),
];

/// Before a cue that can be negated, these take it back.
const NEGATIONS: &[&str] =
    &["not", "don't", "dont", "doesn't", "didn't", "no", "never", "without", "isn't", "won't"];

/// Signs of laughter; they are no words.
const LAUGHTER: &[char] = &['😂', '🤣', '😆', '😹', '💀'];

/// A phrase in words.
type Phrase = (Cue, Vec<&'static str>);

/// First word to the phrases that begin with it.
static BY_FIRST: LazyLock<HashMap<&'static str, Vec<Phrase>>> = LazyLock::new(|| {
    let mut by_first: HashMap<&str, Vec<Phrase>> = HashMap::new();
    for (cue, phrases) in PHRASES {
        for phrase in phrases.split('|') {
            let words: Vec<&str> = phrase.split(' ').collect();
            let first = words.first().copied().unwrap_or_default();
            by_first.entry(first).or_default().push((*cue, words));
        }
    }
    by_first
});

/// A word: letters, digits and apostrophes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    /// As it is written.
    pub(super) raw: &'a str,
    /// Lower case, with a plain apostrophe.
    pub(super) folded: String,
    pub(super) span: Span,
}

/// The words of a text, in order.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut from = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let inside = c.is_alphanumeric() || (apostrophe(c) && from.is_some());
        match (inside, from) {
            (true, None) => from = Some(at),
            (false, Some(start)) => {
                let raw = text.get(start..at).unwrap_or_default().trim_end_matches(apostrophe);
                let folded = raw
                    .chars()
                    .map(|c| if apostrophe(c) { '\'' } else { c })
                    .flat_map(char::to_lowercase)
                    .collect();
                words.push(Word { raw, folded, span: Span { start, end: start + raw.len() } });
                from = None;
            }
            (true, Some(_)) | (false, None) => {}
        }
    }
    words
}

const fn apostrophe(c: char) -> bool {
    matches!(c, '\'' | '\u{2019}' | '\u{2018}' | '\u{02BC}')
}

/// Every cue with its place, in the text's order.
pub(super) fn find(text: &str, words: &[Word<'_>]) -> Vec<(Cue, Span)> {
    let mut found = Vec::new();
    for (n, word) in words.iter().enumerate() {
        let rest = words.get(n..).unwrap_or_default();
        for (cue, phrase) in BY_FIRST.get(word.folded.as_str()).into_iter().flatten() {
            let same = rest.len() >= phrase.len()
                && rest.iter().zip(phrase).all(|(word, want)| word.folded == *want);
            if let (true, Some(last)) = (same, rest.get(phrase.len().saturating_sub(1)))
                && !(cue.can_be_negated() && negated(words, n))
            {
                found.push((*cue, Span { start: word.span.start, end: last.span.end }));
            }
        }
        if let Some(span) = continuous(rest) {
            found.push((Cue::Continuous, span));
        }
    }
    for (start, c) in text.char_indices().filter(|(_, c)| LAUGHTER.contains(c)) {
        found.push((Cue::Humour, Span { start, end: start + c.len_utf8() }));
    }
    found
}

/// One of the two words before takes it back.
fn negated(words: &[Word<'_>], at: usize) -> bool {
    let before = words.get(at.saturating_sub(2)..at).unwrap_or_default();
    before.iter().any(|word| NEGATIONS.contains(&word.folded.as_str()))
}

/// "I'm shaking", "I am shaking"; not what is only talk.
fn continuous(rest: &[Word<'_>]) -> Option<Span> {
    let first = rest.first()?;
    let verb = match first.folded.as_str() {
        "i'm" | "im" => rest.get(1)?,
        "i" if rest.get(1)?.folded == "am" => rest.get(2)?,
        _ => return None,
    };
    let verb = match verb.folded.as_str() {
        "still" | "just" | "literally" | "currently" => {
            rest.iter().find(|w| w.span.start > verb.span.start)?
        }
        _ => verb,
    };
    let talk = ["going", "saying", "kidding", "joking", "nothing", "something", "thinking"];
    let now = verb.folded.len() > 4 && verb.folded.ends_with("ing");
    (now && !talk.contains(&verb.folded.as_str()))
        .then_some(Span { start: first.span.start, end: verb.span.end })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cues(text: &str) -> Vec<Cue> {
        find(text, &words(text)).into_iter().map(|(cue, _)| cue).collect()
    }

    #[test]
    fn words_keep_their_places_and_fold_apostrophes() {
        let found = words("Can\u{2019}t 'stop'. Ü");
        let folded: Vec<&str> = found.iter().map(|w| w.folded.as_str()).collect();
        assert_eq!(folded, ["can't", "stop", "ü"]);
        assert_eq!(found[1].span, Span { start: 9, end: 13 });
        assert!(words("").is_empty() && words("'' ?!").is_empty());
    }

    #[test]
    fn phrases_are_whole_words() {
        assert_eq!(cues("painting the fastener"), []);
        assert_eq!(cues("I can\u{2019}t focus"), [Cue::Impairment]);
        assert_eq!(cues("I'm still shaking"), [Cue::Continuous]);
        assert_eq!(cues("I am just going"), []);
        assert_eq!(cues("no pain, I don't need a thing"), [], "taken back");
        assert_eq!(cues("😂"), [Cue::Humour]);
    }
}
