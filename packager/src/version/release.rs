//! `release = "auto"`: the build's number, then the commit.

use super::{Surroundings, VersionError};

/// As many digits of a commit as git shows by itself.
const SHORT_COMMIT: usize = 7;

impl Surroundings {
    /// Makes the release of a CI build, such as `57.gabc1234`, and says where it is from; without a commit it is just the
    /// number. The number comes first, since a commit does not sort.
    ///
    /// # Errors
    /// [`VersionError::NoBuildNumber`] outside of a CI build.
    pub fn release(&self) -> Result<(String, String), VersionError> {
        let number = self.ci.number.as_deref().ok_or(VersionError::NoBuildNumber)?;
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(VersionError::BuildNumber(number.to_owned()));
        }
        let builder = self.ci.builder.as_deref().unwrap_or("the environment");
        let place = format!("build {number} of {builder}");
        match self.commit() {
            Some(commit) => {
                let short: String = commit.chars().take(SHORT_COMMIT).collect();
                Ok((format!("{number}.g{short}"), place))
            }
            None => Ok((number.to_owned(), place)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn release(variables: &[(&str, &str)]) -> Result<String, VersionError> {
        let directory = tempfile::tempdir().unwrap();
        let variable =
            |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Surroundings::find(Path::new(directory.path()), variable).release().map(|(release, _)| release)
    }

    #[test]
    fn number_then_commit() {
        assert_eq!(release(&[("BUILD_NUMBER", "57")]).unwrap(), "57");
        let jenkins = [("BUILD_NUMBER", "57"), ("JENKINS_URL", "x"), ("GIT_COMMIT", "0123456789abcdef")];
        assert_eq!(release(&jenkins).unwrap(), "57.g0123456");
        assert!(matches!(release(&[]), Err(VersionError::NoBuildNumber)));
        assert!(matches!(release(&[("BUILD_NUMBER", "5.7")]), Err(VersionError::BuildNumber(_))));
    }
}
