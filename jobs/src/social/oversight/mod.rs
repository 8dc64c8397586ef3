//! People over the machine: what it hands to them, what they allow.

pub mod desk;
pub mod escalation;
pub mod overdue;
