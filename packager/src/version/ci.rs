//! What CI systems say of a build in its environment.

/// A build in a CI system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CiBuild {
    /// The system and, where it says so, the machine, such as `GitLab CI, runner-3`.
    pub builder: Option<String>,
    /// The build's number, which grows with every build.
    pub number: Option<String>,
    /// The build's page.
    pub url: Option<String>,
    /// The commit.
    pub commit: Option<String>,
    /// The branch, or the tag.
    pub branch: Option<String>,
    /// The person whose push or click set it off, as `Name <mail>` or a name.
    pub user: Option<String>,
}

/// The variables of one CI system. Where several variables hold the same, the first that is set counts.
struct System {
    name: &'static str,
    /// Set in every build of this system, and in no other's.
    marker: &'static str,
    number: &'static str,
    /// Templates: `$NAME` stands for a variable, and all of them have to be set.
    url: &'static str,
    commit: &'static str,
    branch: &'static [&'static str],
    machine: &'static str,
    user: &'static [&'static str],
}

/// Sources: the systems' own lists of predefined variables.
const SYSTEMS: [System; 8] = [
    System {
        name: "GitLab CI",
        marker: "GITLAB_CI",
        number: "CI_PIPELINE_IID",
        url: "$CI_PIPELINE_URL",
        commit: "CI_COMMIT_SHA",
        branch: &["CI_COMMIT_REF_NAME"],
        machine: "CI_RUNNER_DESCRIPTION",
        user: &["$GITLAB_USER_NAME <$GITLAB_USER_EMAIL>", "$GITLAB_USER_NAME"],
    },
    System {
        name: "GitHub Actions",
        marker: "GITHUB_ACTIONS",
        number: "GITHUB_RUN_NUMBER",
        url: "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID",
        commit: "GITHUB_SHA",
        branch: &["GITHUB_HEAD_REF", "GITHUB_REF_NAME"],
        machine: "RUNNER_NAME",
        user: &["$GITHUB_ACTOR"],
    },
    System {
        name: "Azure Pipelines",
        marker: "TF_BUILD",
        number: "BUILD_BUILDID",
        url: "$SYSTEM_COLLECTIONURI$SYSTEM_TEAMPROJECT/_build/results?buildId=$BUILD_BUILDID",
        commit: "BUILD_SOURCEVERSION",
        branch: &["BUILD_SOURCEBRANCHNAME"],
        machine: "AGENT_NAME",
        user: &["$BUILD_REQUESTEDFOR <$BUILD_REQUESTEDFOREMAIL>", "$BUILD_REQUESTEDFOR"],
    },
    System {
        name: "TeamCity",
        marker: "TEAMCITY_VERSION",
        number: "BUILD_NUMBER",
        url: "$BUILD_URL",
        commit: "BUILD_VCS_NUMBER",
        branch: &[],
        machine: "",
        user: &[],
    },
    System {
        name: "Bitbucket Pipelines",
        marker: "BITBUCKET_BUILD_NUMBER",
        number: "BITBUCKET_BUILD_NUMBER",
        url: "https://bitbucket.org/$BITBUCKET_REPO_FULL_NAME/pipelines/results/$BITBUCKET_BUILD_NUMBER",
        commit: "BITBUCKET_COMMIT",
        branch: &["BITBUCKET_BRANCH", "BITBUCKET_TAG"],
        machine: "",
        user: &[],
    },
    System {
        name: "CircleCI",
        marker: "CIRCLECI",
        number: "CIRCLE_BUILD_NUM",
        url: "$CIRCLE_BUILD_URL",
        commit: "CIRCLE_SHA1",
        branch: &["CIRCLE_BRANCH", "CIRCLE_TAG"],
        machine: "",
        user: &["$CIRCLE_USERNAME"],
    },
    System {
        name: "Jenkins",
        marker: "JENKINS_URL",
        number: "BUILD_NUMBER",
        url: "$BUILD_URL",
        commit: "GIT_COMMIT",
        branch: &["BRANCH_NAME", "GIT_LOCAL_BRANCH", "GIT_BRANCH"],
        machine: "NODE_NAME",
        user: &["$CHANGE_AUTHOR_DISPLAY_NAME <$CHANGE_AUTHOR_EMAIL>"],
    },
    // Whatever else sets these, or a person at a prompt.
    System {
        name: "",
        marker: "BUILD_NUMBER",
        number: "BUILD_NUMBER",
        url: "$BUILD_URL",
        commit: "GIT_COMMIT",
        branch: &["GIT_BRANCH"],
        machine: "",
        user: &[],
    },
];

/// The variables that hold a build's number, for messages.
pub(super) const NUMBER_VARIABLES: &str = "CI_PIPELINE_IID (GitLab), GITHUB_RUN_NUMBER (GitHub), BUILD_NUMBER \
                                           (Jenkins, TeamCity and by hand), BUILD_BUILDID (Azure), \
                                           BITBUCKET_BUILD_NUMBER, CIRCLE_BUILD_NUM";

impl CiBuild {
    /// Reads the variables of the system that runs this build, if any does.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Self {
        let variable = |name: &str| variable(name).filter(|value| !value.trim().is_empty() && is_line(value));
        let Some(system) = SYSTEMS.iter().find(|system| variable(system.marker).is_some()) else {
            return Self::default();
        };
        let branch = system.branch.iter().find_map(|name| variable(name));
        let builder = match variable(system.machine) {
            Some(machine) => format!("{}, {machine}", system.name),
            None => system.name.to_owned(),
        };
        Self {
            builder: Some(builder).filter(|builder| !builder.is_empty()),
            number: variable(system.number),
            url: filled(system.url, &variable).filter(|url| url.starts_with("http")),
            commit: variable(system.commit).filter(|commit| commit.bytes().all(|byte| byte.is_ascii_hexdigit())),
            branch: branch.map(|branch| branch.strip_prefix("origin/").unwrap_or(&branch).to_owned()),
            user: system.user.iter().find_map(|template| filled(template, &variable)),
        }
    }
}

fn is_line(value: &str) -> bool {
    !value.chars().any(char::is_control)
}

/// Puts variables into a template; none where one of them is not set.
fn filled(template: &str, variable: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut parts = template.split('$');
    let mut text = parts.next()?.to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(part.len());
        text.push_str(&variable(&part[..end])?);
        text.push_str(&part[end..]);
    }
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> CiBuild {
        CiBuild::read(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn reads_each_system() {
        assert_eq!(read(&[]), CiBuild::default());
        let build = read(&[
            ("GITLAB_CI", "true"),
            ("CI_PIPELINE_IID", "57"),
            ("CI_PIPELINE_URL", "https://gitlab.example.org/team/shop/-/pipelines/9"),
            ("CI_COMMIT_SHA", "abc123"),
            ("CI_COMMIT_REF_NAME", "feature/x"),
            ("CI_RUNNER_DESCRIPTION", "runner-3"),
            ("GITLAB_USER_NAME", "Ana"),
            ("GITLAB_USER_EMAIL", "ana@example.org"),
        ]);
        assert_eq!(build.number.as_deref(), Some("57"));
        assert_eq!(build.url.as_deref(), Some("https://gitlab.example.org/team/shop/-/pipelines/9"));
        assert_eq!(build.builder.as_deref(), Some("GitLab CI, runner-3"));
        assert_eq!(build.user.as_deref(), Some("Ana <ana@example.org>"));
        assert_eq!((build.commit.as_deref(), build.branch.as_deref()), (Some("abc123"), Some("feature/x")));

        let github = [
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_RUN_NUMBER", "12"),
            ("GITHUB_SERVER_URL", "https://github.com"),
            ("GITHUB_REPOSITORY", "team/shop"),
            ("GITHUB_RUN_ID", "99"),
            ("GITHUB_HEAD_REF", ""),
            ("GITHUB_REF_NAME", "main"),
        ];
        let build = read(&github);
        assert_eq!(build.url.as_deref(), Some("https://github.com/team/shop/actions/runs/99"));
        assert_eq!(build.branch.as_deref(), Some("main"));
        assert_eq!(read(&github[..4]).url, None);

        let build = read(&[("JENKINS_URL", "x"), ("BUILD_NUMBER", "8"), ("GIT_BRANCH", "origin/main")]);
        assert_eq!((build.number.as_deref(), build.branch.as_deref()), (Some("8"), Some("main")));
        assert_eq!(build.builder.as_deref(), Some("Jenkins"));
        let build = read(&[("BUILD_NUMBER", "8"), ("GIT_COMMIT", "not a commit")]);
        assert_eq!((build.number.as_deref(), build.builder, build.commit), (Some("8"), None, None));
    }
}
