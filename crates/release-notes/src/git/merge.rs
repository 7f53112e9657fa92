//! The messages that hosting systems give merges: what was merged, its number, its title.

/// What a merge's message tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Merge {
    /// The merged work's title; none where the message names a branch alone.
    pub(super) title: Option<String>,
    /// What of the message may hold references: branch, number, title.
    pub(super) about: String,
    /// What follows the title.
    pub(super) rest: String,
}

impl Merge {
    /// Reads a merge's message: of GitHub, GitLab, Bitbucket, Azure DevOps, or git's own.
    pub(super) fn read(message: &str) -> Self {
        let (subject, rest) = message.trim_start().split_once('\n').unwrap_or((message.trim(), ""));
        let subject = subject.trim();
        // Bitbucket: `Pull request #12: Title`; Azure DevOps: `Merged PR 12: Title`.
        for prefix in ["Pull request #", "Merged PR "] {
            let named = subject.strip_prefix(prefix).and_then(|rest| rest.split_once(':'));
            let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if let Some((number, title)) = named.filter(|(number, _)| is_number(number)) {
                let about = format!("#{number} {title}");
                return Self { title: Some(title.trim().to_owned()), about, rest: rest.to_owned() };
            }
        }
        let names_a_branch = [
            "Merge pull request #",
            "Merge branch ",
            "Merge branches ",
            "Merge remote-tracking branch ",
            "Merged in ",
            "Merge tag ",
            "Merge commit ",
        ];
        if !names_a_branch.iter().any(|prefix| subject.starts_with(prefix)) {
            return Self { title: Some(subject.to_owned()), about: subject.to_owned(), rest: rest.to_owned() };
        }
        let body = rest.trim_start_matches(['\n', '\r']);
        let (title, rest) = body.split_once('\n').unwrap_or((body, ""));
        let title = title.trim();
        let see = "See merge request ";
        let title_is_none = title.is_empty()
            || title.starts_with(see)
            || title.starts_with('*')
            || title.starts_with('#')
            || title.contains(": ") && title.split(": ").next().is_some_and(|key| key.ends_with("-by"));
        let about =
            format!("{subject} {}", body.lines().find_map(|line| line.trim().strip_prefix(see)).unwrap_or_default());
        if title_is_none {
            return Self { title: None, about, rest: body.to_owned() };
        }
        let rest: Vec<&str> = rest.lines().filter(|line| !line.trim().starts_with(see)).collect();
        Self { title: Some(title.to_owned()), about: format!("{about} {title}"), rest: rest.join("\n") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_of_all_makers() {
        for (message, title, about) in [
            (
                "Merge pull request #12 from ana/ABC-1\n\nAdd carts\n\nMore.",
                Some("Add carts"),
                "#12 from ana/ABC-1  Add carts",
            ),
            (
                "Merge branch 'ABC-2-x' into 'main'\n\nFix carts\n\nText\n\nSee merge request shop/web!34",
                Some("Fix carts"),
                "shop/web!34",
            ),
            ("Merge branch 'x' into main\n\nSee merge request !5", None, "!5"),
            ("Merge branch 'x' into main\n\n# Conflicts:\n#\ta", None, "Merge branch 'x'"),
            ("Pull request #7: ABC-3 faster\n\nMerge in S/w from x to main", Some("ABC-3 faster"), "#7  ABC-3 faster"),
            ("Merged PR 8: Slower", Some("Slower"), "#8  Slower"),
            (
                "Merged in ABC-4 (pull request #9)\n\nNew\n\nApproved-by: Ana",
                Some("New"),
                "Merged in ABC-4 (pull request #9)",
            ),
            ("Merge the big thing", Some("Merge the big thing"), "big"),
            ("", Some(""), ""),
        ] {
            let merge = Merge::read(message);
            assert_eq!(merge.title.as_deref(), title, "{message}");
            assert!(merge.about.contains(about), "{message}: {}", merge.about);
        }
    }
}
