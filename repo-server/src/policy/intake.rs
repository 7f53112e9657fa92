//! What a channel takes in, and from where.

use openpgp::{ParseKeysError, TrustedKeys};
use repo_api::{ChannelName, ChannelSettings, ChannelSettingsError, SignaturePolicy};

/// What a channel asks of the packages that come to it.
#[derive(Debug, Clone)]
pub(crate) enum Intake {
    /// Nothing.
    Any,
    /// A signature by one of these keys.
    Signed(TrustedKeys),
    /// A signature by the server, which makes it.
    Door,
}

/// Says why a channel does not take packages in as it was asked, or can't be as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// Packages may come by promotion alone.
    #[error("channel `{channel}` takes packages by promotion alone{}", from(sources))]
    PromotionsOnly {
        /// The channel.
        channel: ChannelName,
        /// From which channels; from any, where there is none.
        sources: Vec<ChannelName>,
    },
    /// The settings contradict themselves.
    #[error("the settings of channel `{channel}` don't hold")]
    Settings {
        /// The channel.
        channel: ChannelName,
        /// Why.
        #[source]
        source: ChannelSettingsError,
    },
    /// The keys can't be read.
    #[error("the `signature_keys` of channel `{channel}` can't be used")]
    Keys {
        /// The channel.
        channel: ChannelName,
        /// Why.
        #[source]
        source: ParseKeysError,
    },
}

impl Intake {
    /// Reads it from a channel's settings, and checks them.
    pub(crate) fn of(channel: &ChannelName, settings: &ChannelSettings) -> Result<Self, IntakeError> {
        settings.check().map_err(|source| IntakeError::Settings { channel: channel.clone(), source })?;
        Ok(match settings.signatures {
            SignaturePolicy::Any => Self::Any,
            SignaturePolicy::Door => Self::Door,
            SignaturePolicy::Required => {
                let keys = settings.signature_keys.as_deref().unwrap_or_default();
                Self::Signed(keys.parse().map_err(|source| IntakeError::Keys { channel: channel.clone(), source })?)
            }
        })
    }

    /// Checks where packages come from: `None` for a publish, else the channel that they are promoted from.
    pub(crate) fn check_source(
        channel: &ChannelName,
        settings: &ChannelSettings,
        source: Option<&ChannelName>,
    ) -> Result<(), IntakeError> {
        let Some(sources) = &settings.promotions_from else { return Ok(()) };
        match source {
            Some(source) if sources.is_empty() || sources.contains(source) => Ok(()),
            _ => Err(IntakeError::PromotionsOnly { channel: channel.clone(), sources: sources.clone() }),
        }
    }
}

fn from(sources: &[ChannelName]) -> String {
    if sources.is_empty() {
        return String::new();
    }
    let sources: Vec<String> = sources.iter().map(|source| format!("`{source}`")).collect();
    format!(" from {}", sources.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources() {
        let (dev, qa, prod): (ChannelName, ChannelName, ChannelName) =
            ("dev".parse().unwrap(), "qa".parse().unwrap(), "prod".parse().unwrap());
        let check = |from: Option<Vec<ChannelName>>, source: Option<&ChannelName>| {
            let settings = ChannelSettings { promotions_from: from, ..ChannelSettings::default() };
            Intake::check_source(&prod, &settings, source).map_err(|error| error.to_string())
        };
        assert_eq!(check(None, None), Ok(()));
        assert_eq!(check(None, Some(&dev)), Ok(()));
        assert_eq!(check(Some(vec![]), Some(&dev)), Ok(()));
        assert_eq!(check(Some(vec![qa.clone()]), Some(&qa)), Ok(()));
        assert_eq!(check(Some(vec![]), None), Err("channel `prod` takes packages by promotion alone".to_owned()));
        let refusal = Err("channel `prod` takes packages by promotion alone from `qa`".to_owned());
        assert_eq!(check(Some(vec![qa.clone()]), Some(&dev)), refusal);
        assert_eq!(check(Some(vec![qa]), None), refusal);
    }
}
