//! Agreement to a plan: what the environment asks for, and what was given.

mod agreement;
mod gate;
mod rule;

pub use self::agreement::{Agreement, Consent};
pub use self::gate::closed;
pub use self::rule::{Given, Question, Refusal, question};
