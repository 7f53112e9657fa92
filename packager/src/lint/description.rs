//! What a package says of itself.

use super::{Finding, Lint, Subject};

pub(super) fn check(subject: &Subject<'_>) -> Vec<Finding> {
    let said = |text: &str| text.trim().trim_end_matches('.').trim_end().to_lowercase();
    let description = said(subject.description);
    let is_empty = description.is_empty() || description == said(subject.summary);
    if is_empty { vec![Finding::new(Lint::EmptyDescription, "description")] } else { Vec::new() }
}
