//! What a channel takes in, and from where.

use openpgp::TrustedKeys;
use repo_api::{ChannelName, ChannelSettings, SignaturePolicy};

use super::policy_error::PolicyError;

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

impl Intake {
    /// Reads it from a channel's settings, and checks them.
    pub(crate) fn of(channel: &ChannelName, settings: &ChannelSettings) -> Result<Self, PolicyError> {
        settings.check().map_err(|source| PolicyError::Settings { channel: channel.clone(), source })?;
        Ok(match settings.signatures {
            SignaturePolicy::Any => Self::Any,
            SignaturePolicy::Door => Self::Door,
            SignaturePolicy::Required => {
                let keys = settings.signature_keys.as_deref().unwrap_or_default();
                Self::Signed(keys.parse().map_err(|source| PolicyError::Keys { channel: channel.clone(), source })?)
            }
        })
    }

    /// Checks where packages come from: `None` for a publish, else the channel that they are promoted from.
    pub(crate) fn check_source(
        channel: &ChannelName,
        settings: &ChannelSettings,
        source: Option<&ChannelName>,
    ) -> Result<(), PolicyError> {
        let Some(sources) = &settings.promotions_from else { return Ok(()) };
        match source {
            Some(source) if sources.is_empty() || sources.contains(source) => Ok(()),
            _ => Err(PolicyError::PromotionsOnly { channel: channel.clone(), sources: sources.clone() }),
        }
    }
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
