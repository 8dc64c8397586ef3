//! `/v1/codebases` and `/v1/search/code`: what is indexed, and what is in it.

use axum::{Json, extract::State};
use millrace_jobs::{
    codebase::{
        chunk::Kind,
        glob,
        search::{self, Hit, Question, Weights},
    },
    store::codebase::{
        connections::{self, Connection, Unclear},
        search::Filter,
    },
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Api,
    auth::{Caller, Search},
    error::ApiError,
    extract::Body,
};

const LIMIT: usize = 10;
const LIMIT_MAX: usize = 100;

/// All codebases of the workspace.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CodebaseList {
    /// By project.
    items: Vec<Connection>,
}

/// Codebases, and how far their index is
#[utoipa::path(get, path = "/v1/codebases", tag = "code", responses((status = 200, body = CodebaseList)))]
pub(super) async fn list(
    State(api): State<Api>,
    caller: Caller<Search>,
) -> Result<Json<CodebaseList>, ApiError> {
    let mut tx = caller.begin(&api).await?;
    Ok(Json(CodebaseList { items: connections::list(&mut tx, caller.workspace()).await? }))
}

/// A question about code.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct CodeQuestion {
    /// In words, or a piece of code
    #[schema(example = "how are retries scheduled", min_length = 1)]
    query: String,
    /// Project of the codebase; may be absent if the workspace has only one
    project: Option<String>,
    /// Find what means the same as this piece of code, and not what says the same words
    #[serde(default)]
    related: bool,
    /// Only paths like this: `*` in a name, `**` over folders, `{a,b}` either
    #[schema(example = "src/**/*.rs")]
    file_path_pattern: Option<String>,
    /// Only this language
    language: Option<String>,
    /// Only this kind of symbol: function, method, class, interface, type_alias, enum, import, block
    symbol_type: Option<String>,
    /// Only what means so nearly the same, 0 to 1
    #[schema(minimum = 0, maximum = 1)]
    min_score: Option<f32>,
    /// Results, 1 to 100; 10 if absent
    #[schema(minimum = 1, maximum = 100)]
    limit: Option<usize>,
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Hits {
    /// Best first.
    items: Vec<Hit>,
}

/// Search a codebase, by meaning, by words and by names at once
#[utoipa::path(post, path = "/v1/search/code", tag = "code", request_body = CodeQuestion,
    responses((status = 200, body = Hits)))]
pub(super) async fn search(
    State(api): State<Api>,
    caller: Caller<Search>,
    Body(asked): Body<CodeQuestion>,
) -> Result<Json<Hits>, ApiError> {
    let project = asked.project.clone();
    let question = question(asked)?;
    let mut walled = caller.begin(&api).await?;
    let of = connections::choose(&mut walled, caller.workspace(), project.as_deref());
    let of = of.await.map_err(unclear)?;
    // The policies of row-level security keep Postgres from using the indexes of full-text search. So the ranking, ids
    // of a codebase that we have seen to be the caller's, is made outside of the wall; what they say is read inside.
    let mut open = api.tenants.begin("*").await?;
    let ranked = search::rank(&mut open, api.embedder().await?, &of, &question).await?;
    drop(open);
    Ok(Json(Hits { items: search::show(&mut walled, &of, ranked, &question).await? }))
}

fn question(asked: CodeQuestion) -> Result<Question, ApiError> {
    let bad = |why: &str| Err(ApiError::BadRequest(why.to_owned()));
    if asked.query.trim().is_empty() {
        return bad("query must not be empty");
    }
    let limit = asked.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return bad("limit must be between 1 and 100");
    }
    if asked.min_score.is_some_and(|score| !(0.0..=1.0).contains(&score)) {
        return bad("minScore must be between 0 and 1");
    }
    if let Some(kind) = &asked.symbol_type
        && !Kind::ALL.iter().any(|known| known.as_str() == kind)
    {
        return bad(
            "symbolType must be function, method, class, interface, type_alias, enum, import or block",
        );
    }
    Ok(Question {
        text: asked.query,
        related: asked.related,
        filter: Filter {
            path: asked.file_path_pattern.as_deref().map(glob::regex),
            languages: asked.language.map(|language| vec![language]),
            kinds: asked.symbol_type.map(|kind| vec![kind]),
            cosine_min: asked.min_score,
        },
        limit,
        weights: Weights::DEFAULT,
    })
}

fn unclear(why: Unclear) -> ApiError {
    match why {
        Unclear::Several => ApiError::BadRequest(why.to_string()),
        Unclear::NoSuch(_) | Unclear::NoneYet => ApiError::NotFound("codebase"),
        Unclear::Database(error) => error.into(),
    }
}
