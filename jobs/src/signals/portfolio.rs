//! What one workspace's projects look like to the classifier, learned from their names, descriptions
//! and linked signals.

use std::collections::HashMap;

use super::{
    decide::Match,
    learn::{Example, Ridge},
};

/// Examples in all; the fit takes half a second with as many.
const EXAMPLES_MAX: usize = 1_500;
/// Per project at least, however many there are.
const PER_PROJECT_MIN: usize = 4;

/// A project with its text's vector and those of its linked signals.
#[derive(Debug, Clone)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) description: Vec<f32>,
    pub(crate) linked: Vec<Vec<f32>>,
}

/// The text a project is known by before anything is linked to it.
pub(crate) fn project_text(name: &str, description: Option<&str>) -> String {
    match description.map(str::trim).filter(|d| !d.is_empty()) {
        Some(description) => format!("{name}. {description}"),
        None => name.to_owned(),
    }
}

/// How many links of each project are worth loading.
pub(crate) fn per_project_max(projects: usize) -> usize {
    (EXAMPLES_MAX / projects.max(1)).max(PER_PROJECT_MIN)
}

/// A fitted classifier.
#[derive(Debug)]
pub(crate) struct Portfolio {
    names: Vec<(String, String)>,
    learner: Option<Ridge>,
}

impl Portfolio {
    /// Learns; time grows with the cube of the examples, so not on an async thread.
    pub(crate) fn fit(projects: Vec<Project>) -> Self {
        let mut examples = Vec::new();
        let mut names = Vec::new();
        for (class, project) in projects.into_iter().enumerate() {
            examples.push(Example { vector: project.description, class, judges: false });
            let linked = project.linked.into_iter();
            examples.extend(linked.map(|vector| Example { vector, class, judges: true }));
            names.push((project.id, project.name));
        }
        let learner = Ridge::fit_texts(examples, names.len());
        Self { names, learner }
    }

    /// Every project's match, and the probability that none fits.
    pub(crate) fn classify(&self, vector: &[f32]) -> (Vec<Match>, f32) {
        let Some(learner) = &self.learner else { return (Vec::new(), 1.0) };
        let (probabilities, none) = learner.probabilities(vector);
        let likely = |(class, ((id, name), confidence)): (usize, (&(String, String), f32))| Match {
            project_id: id.clone(),
            project_name: name.clone(),
            confidence,
            match_reason: if confidence < 0.05 {
                String::new()
            } else {
                reason(learner, vector, class)
            },
        };
        (self.names.iter().zip(probabilities).enumerate().map(likely).collect(), none)
    }
}

fn reason(learner: &Ridge, vector: &[f32], class: usize) -> String {
    match learner.nearest(vector, class) {
        (Some(linked), Some(text)) if linked > text => {
            format!("like a linked signal (similarity {linked:.2}; to the description {text:.2})")
        }
        (Some(linked), Some(text)) => {
            format!("like its description (similarity {text:.2}; to a linked signal {linked:.2})")
        }
        (None, Some(text)) => format!("like its description (similarity {text:.2})"),
        (linked, None) => format!("like a linked signal (similarity {:.2})", linked.unwrap_or(0.0)),
    }
}

/// Projects as examples: rows of links go to their projects.
pub(crate) fn assemble(
    active: Vec<(String, String, Option<String>)>,
    mut descriptions: HashMap<String, Vec<f32>>,
    links: Vec<(String, Vec<f32>)>,
) -> Vec<Project> {
    let mut linked: HashMap<String, Vec<Vec<f32>>> = HashMap::new();
    for (project, vector) in links {
        linked.entry(project).or_default().push(vector);
    }
    let known = active.into_iter().filter_map(|(id, name, _)| {
        let description = descriptions.remove(&id)?;
        let linked = linked.remove(&id).unwrap_or_default();
        Some(Project { id, name, description, linked })
    });
    known.collect()
}
