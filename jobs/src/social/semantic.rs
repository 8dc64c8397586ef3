//! What the local embeddings say of a post: whether somebody seeks help, or comments.

use anyhow::Context;

use crate::embed::Embedder;

/// People who want something solved, about anything.
const SEEKING: [&str; 20] = [
    "Does anyone know how to get rid of this? I have tried everything.",
    "What should I take for this, it hurts so much.",
    "Please help, I need advice on what to do.",
    "Can somebody recommend something that actually works?",
    "How do you all deal with this? I can't go on like that.",
    "I have an important meeting tomorrow and I need a quick fix.",
    "Looking for recommendations, what do you use?",
    "Is there anything that makes it better by tonight?",
    "I feel terrible and don't know what to do.",
    "Any tips for someone who is struggling with this right now?",
    "Which one should I buy, has anybody compared them?",
    "Why does this keep happening to me and how do I stop it?",
    "I'm desperate for a remedy, tell me what works.",
    "What is the best way to prevent it next time?",
    "My head is killing me, what helps?",
    "Need to be fit for work in two hours, suggestions?",
    "Has anyone tried this, does it really work?",
    "How long does it take until it gets better?",
    "I can't get out of bed, somebody help me.",
    "Where can I find something for it near me?",
];

/// People who tell, joke, promote or report.
const COMMENTING: [&str; 20] = [
    "Great match last night, what a goal.",
    "I love how this song still slaps after all these years.",
    "New blog post: ten things we learned this quarter.",
    "That was the funniest scene in the whole film.",
    "Just another Monday, coffee in hand.",
    "The president said on Tuesday that talks would continue.",
    "My dog has decided that the sofa is his now.",
    "Had a wonderful weekend with old friends.",
    "We are excited to announce our new collection.",
    "Nobody asked, but here is my opinion anyway.",
    "Remember when everybody did that? Good times.",
    "lol this is so me",
    "I'm fine, it was worth it, no regrets.",
    "The weather is lovely today.",
    "Study finds that people are happier in spring.",
    "He always tells the same story at parties.",
    "I will never understand why people like that show.",
    "Throwback to last summer.",
    "Subscribe to my channel for more.",
    "What a time to be alive.",
];

/// Sentences of each kind that a post is compared with: the nearest.
const NEAREST: usize = 4;
/// A difference of the mean cosines of 0.1 is fairly sure (0.85).
const SCALE: f32 = 17.0;

/// The sentences as vectors.
#[derive(Debug)]
pub struct Prototypes {
    seeking: Vec<Vec<f32>>,
    commenting: Vec<Vec<f32>>,
}

impl Prototypes {
    /// With the vectors of this model.
    ///
    /// # Errors
    /// Those of the model.
    pub async fn learn(embedder: &dyn Embedder) -> anyhow::Result<Self> {
        let texts = SEEKING.iter().chain(&COMMENTING).map(ToString::to_string).collect();
        let mut seeking = embedder.embed(texts).await.context("embedding prototypes")?;
        let commenting = seeking.split_off(SEEKING.len());
        Ok(Self { seeking, commenting })
    }

    /// How far a text with this vector (unit length) seeks help, 1, rather than comments, 0: logistic in the
    /// difference of its mean cosines with the nearest sentences of each kind.
    #[must_use]
    pub fn seeks_help(&self, vector: &[f32]) -> f64 {
        let difference = nearness(vector, &self.seeking) - nearness(vector, &self.commenting);
        f64::from(1.0 / (1.0 + (-SCALE * difference).exp()))
    }
}

fn nearness(vector: &[f32], sentences: &[Vec<f32>]) -> f32 {
    let dot = |a: &[f32]| a.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
    let mut cosines: Vec<f32> = sentences.iter().map(|s| dot(s)).collect();
    cosines.sort_by(|a, b| b.total_cmp(a));
    cosines.truncate(NEAREST);
    cosines.iter().sum::<f32>() / 4.0
}
