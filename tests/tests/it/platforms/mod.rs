//! Social platforms: what they deliver, and what is fetched of them.

mod webhooks;
