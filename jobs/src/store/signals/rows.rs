//! Many records as the columns of one statement.

use chrono::NaiveDateTime;
use serde_json::{Map, Value};
use sqlx::{PgConnection, types::Json};
use uuid::Uuid;

use super::{
    apply::{Arrival, content},
    merge::Fields,
};
use crate::embed::content_hash;

/// Columns of many rows, for UNNEST.
#[derive(Debug, Default)]
pub(super) struct Rows<'a> {
    pub(super) ids: Vec<String>,
    workspaces: Vec<&'a str>,
    origins: Vec<&'a str>,
    refs: Vec<&'a str>,
    versions: Vec<i64>,
    verbatims: Vec<&'a str>,
    hashes: Vec<Option<Vec<u8>>>,
    text_changed: Vec<bool>,
    interpretations: Vec<Option<String>>,
    severities: Vec<Option<String>>,
    frequencies: Vec<Option<String>>,
    segments: Vec<Option<String>>,
    provenances: Vec<Json<Map<String, Value>>>,
    urls: Vec<Option<&'a str>>,
    interview_dates: Vec<Option<NaiveDateTime>>,
    interviewees: Vec<Option<&'a str>>,
    tags: Vec<Json<&'a [String]>>,
    metadata: Vec<Json<Map<String, Value>>>,
    occurred: Vec<Option<NaiveDateTime>>,
    sanitized: Vec<bool>,
    source_ids: Vec<&'a str>,
    events: Vec<Uuid>,
    traces: Vec<&'a str>,
    deleted: Vec<bool>,
    /// Nothing is to be found out about them: their parts are signals of their own.
    wholes: Vec<bool>,
}

impl<'a> Rows<'a> {
    pub(super) fn push(
        &mut self,
        id: String,
        item: &Arrival<'a>,
        fields: Fields,
        text_changed: bool,
    ) {
        let content = content(item.record);
        self.ids.push(id);
        self.workspaces.push(item.workspace_id);
        self.origins.push(item.record.origin.as_str());
        self.refs.push(&item.record.source_ref);
        self.versions.push(item.record.version);
        self.verbatims.push(content.map_or("", |c| &c.verbatim));
        self.hashes.push(content.map(|c| content_hash(&c.verbatim).to_vec()));
        self.text_changed.push(text_changed);
        self.interpretations.push(fields.interpretation);
        self.severities.push(fields.severity);
        self.frequencies.push(fields.frequency);
        self.segments.push(fields.user_segment);
        self.provenances.push(Json(fields.provenance));
        self.urls.push(content.and_then(|c| c.source_url.as_deref()));
        self.interview_dates.push(content.and_then(|c| c.interview_date).map(|d| d.naive_utc()));
        self.interviewees.push(content.and_then(|c| c.interviewee.as_deref()));
        self.tags.push(Json(content.map_or(&[][..], |c| &c.tags)));
        self.metadata.push(Json(content.map(|c| c.metadata.clone()).unwrap_or_default()));
        self.occurred.push(content.and_then(|c| c.occurred_at).map(|d| d.naive_utc()));
        self.sanitized.push(content.is_some_and(|c| c.sanitized));
        self.source_ids.push(item.source_id);
        self.events.push(item.event_id);
        self.traces.push(item.trace_id);
        self.deleted.push(content.is_none());
        self.wholes.push(content.is_some_and(|c| c.parts.is_some()));
    }

    /// Inserts what does not exist; the ids that are new.
    pub(super) async fn insert(&self, conn: &mut PgConnection) -> sqlx::Result<Vec<String>> {
        sqlx::query_scalar(include_str!("insert.sql"))
            .bind(&self.ids)
            .bind(&self.workspaces)
            .bind(&self.origins)
            .bind(&self.refs)
            .bind(&self.versions)
            .bind(&self.verbatims)
            .bind(&self.hashes)
            .bind(&self.interpretations)
            .bind(&self.severities)
            .bind(&self.frequencies)
            .bind(&self.segments)
            .bind(&self.provenances)
            .bind(&self.urls)
            .bind(&self.interview_dates)
            .bind(&self.interviewees)
            .bind(&self.tags)
            .bind(&self.metadata)
            .bind(&self.occurred)
            .bind(&self.sanitized)
            .bind(&self.source_ids)
            .bind(&self.events)
            .bind(&self.traces)
            .bind(&self.deleted)
            .bind(&self.wholes)
            .fetch_all(conn)
            .await
    }

    pub(super) async fn edit(&self, conn: &mut PgConnection) -> sqlx::Result<()> {
        sqlx::query(include_str!("edit.sql"))
            .bind(&self.ids)
            .bind(&self.versions)
            .bind(&self.verbatims)
            .bind(&self.hashes)
            .bind(&self.text_changed)
            .bind(&self.interpretations)
            .bind(&self.severities)
            .bind(&self.frequencies)
            .bind(&self.segments)
            .bind(&self.provenances)
            .bind(&self.urls)
            .bind(&self.interview_dates)
            .bind(&self.interviewees)
            .bind(&self.tags)
            .bind(&self.metadata)
            .bind(&self.sanitized)
            .bind(&self.source_ids)
            .bind(&self.events)
            .bind(&self.traces)
            .bind(&self.wholes)
            .execute(conn)
            .await?;
        Ok(())
    }
}
