//! People over the machine: what it hands to them, what they allow.

pub mod approval;
pub mod cadence;
pub mod desk;
pub mod escalation;
pub mod karma;
pub mod link;
pub mod overdue;
pub mod reply;
pub mod review;
pub mod write;
