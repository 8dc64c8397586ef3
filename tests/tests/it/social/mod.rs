//! Posts become decisions: through the real binary, explained, made again, and once.

mod decide;
mod opinion;
mod policy;
