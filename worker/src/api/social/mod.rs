//! `/v1/social`: people over what the machine decides, and replies.

pub(crate) mod escalations;
pub(crate) mod replies;
pub(crate) mod review;

use axum::{
    Router,
    routing::{get, post},
};

use super::Api;

/// Routes under `/v1/social`.
pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/escalations", get(escalations::list).post(escalations::open))
        .route("/escalations/sla", get(escalations::sla))
        .route("/escalations/claim", post(escalations::claim_next))
        .route("/escalations/{id}", get(escalations::show))
        .route("/escalations/{id}/claim", post(escalations::claim))
        .route("/escalations/{id}/release", post(escalations::release))
        .route("/escalations/{id}/resolve", post(escalations::resolve))
        .route("/escalations/{id}/dismiss", post(escalations::dismiss))
        .route("/replies", get(replies::list).post(replies::write))
        .route("/replies/check", post(replies::check))
        .route("/replies/approve", post(review::approve_all))
        .route("/replies/{id}", get(replies::show).patch(review::edit))
        .route("/replies/{id}/approve", post(review::approve))
        .route("/replies/{id}/reject", post(review::reject))
        .route("/replies/{id}/posted", post(review::posted))
        .route("/replies/{id}/deleted", post(review::deleted))
}
