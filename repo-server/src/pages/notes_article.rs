//! The release notes that a package carries, as a part of a page.

use std::sync::LazyLock;

use minijinja::Value;
use release_notes::{Audience, Format, ReleaseNotes, Templates};
use serde::Serialize;

/// The templates of notes, which escape everything that notes say.
static TEMPLATES: LazyLock<Option<Templates>> = LazyLock::new(|| Templates::usual().ok());

/// Release notes, for those whom the package tells them.
#[derive(Debug, Serialize)]
pub(crate) struct NotesArticle {
    heading: String,
    /// The day, where it is known.
    date: Option<String>,
    audience: &'static str,
    /// The changes, as HTML: the one value that no page escapes, as the templates of notes did.
    article: Value,
}

impl NotesArticle {
    /// The part of the page that tells them.
    pub(crate) fn of(notes: &ReleaseNotes) -> Option<Self> {
        let article = TEMPLATES.as_ref()?.render(notes, Format::HtmlArticle).ok()?;
        let audience = match notes.audience {
            Audience::Internal => "for those who make it",
            Audience::Customer => "for those who use it",
        };
        let date = notes.date.map(|date| date.to_string());
        Some(Self { heading: notes.heading(), date, audience, article: Value::from_safe_string(article) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_notes_is_markup() {
        let text = "# Shop <b>1</b>\n\n- feat: <script>alert(1)</script>\n- [x](javascript:alert(1))\n";
        let notes = ReleaseNotes::from_text(text, &release_notes::Rules::default());
        let article = NotesArticle::of(&notes).unwrap();
        let html = article.article.to_string().to_lowercase();
        assert!(html.contains("&lt;script&gt;") && html.contains("<h4>"), "{html}");
        for bad in ["<script", "<b>", "href=\"javascript", "style=", "onerror"] {
            assert!(!html.contains(bad), "`{bad}` in {html}");
        }
    }
}
