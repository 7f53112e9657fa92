//! The file for `/etc/yum.repos.d`.

use repo_api::{ChannelName, ChannelSettings, SignaturePolicy};

/// A channel as yum clients are told of it.
#[derive(Debug, Clone)]
pub(crate) struct RepoFile<'a> {
    /// The server, such as `https://rpm.example.org`.
    pub(crate) base: &'a str,
    pub(crate) channel: &'a ChannelName,
    pub(crate) settings: &'a ChannelSettings,
}

impl RepoFile<'_> {
    /// Renders it. The metalink stands alone: with a baseurl beside it, zypper takes that one instead.
    pub(crate) fn render(&self) -> String {
        let Self { base, channel, settings } = self;
        let name = settings.description.clone().unwrap_or_else(|| format!("pkg channel {channel}"));
        // Without a policy, packages need no signature of their own: the signed metadata holds the sha256 of each.
        let (gpgcheck, keys) = match settings.signatures {
            SignaturePolicy::Any => (0, String::new()),
            SignaturePolicy::Door => (1, String::new()),
            SignaturePolicy::Required => (1, format!(" {base}/{channel}/keys.asc")),
        };
        format!(
            "[pkg-{channel}]\n\
             name={name}\n\
             metalink={base}/{channel}/metalink\n\
             enabled=1\n\
             repo_gpgcheck=1\n\
             gpgcheck={gpgcheck}\n\
             gpgkey={base}/keys/repository.asc{keys}\n\
             metadata_expire=60\n\
             autorefresh=1\n\
             skip_if_unavailable=0\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_policy() {
        let channel: ChannelName = "prod".parse().unwrap();
        let base = "http://rpm";
        for (signatures, gpgcheck, keys) in [
            (SignaturePolicy::Any, "gpgcheck=0\n", "gpgkey=http://rpm/keys/repository.asc\n"),
            (SignaturePolicy::Door, "gpgcheck=1\n", "gpgkey=http://rpm/keys/repository.asc\n"),
            (
                SignaturePolicy::Required,
                "gpgcheck=1\n",
                "gpgkey=http://rpm/keys/repository.asc http://rpm/prod/keys.asc\n",
            ),
        ] {
            let description = Some("Shop, production".to_owned());
            let settings = ChannelSettings { signatures, description, ..ChannelSettings::default() };
            let text = RepoFile { base, channel: &channel, settings: &settings }.render();
            assert!(text.contains(&format!("\n{gpgcheck}")) && text.contains(keys), "{text}");
            assert!(
                text.starts_with("[pkg-prod]\nname=Shop, production\nmetalink=http://rpm/prod/metalink\n"),
                "{text}"
            );
        }
    }
}
