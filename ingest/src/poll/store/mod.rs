//! The rows of pollers: SQL and nothing else.

pub mod budgets;
pub mod cursors;
