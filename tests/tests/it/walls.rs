//! Nothing of one tenant reaches another: not through the API, and not through any statement of ours that has lost its
//! predicates.

use millrace_tests::{Pg, walls};

#[tokio::test]
async fn every_statement_without_its_predicates_stays_within_its_tenant() {
    let found = walls::run(600, 25).await;
