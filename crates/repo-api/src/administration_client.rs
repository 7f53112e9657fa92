//! The client's part for what administers channels.

use reqwest::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::client::{Client, ClientError, read};
use crate::{
    Changed, ChannelInfo, ChannelName, ChannelRequest, Difference, HoldList, HoldRequest, Log, LogQuery, Moment,
    PackageList, ReasonRequest, RetainRequest, Retained, Snapshot, TagList, TagName, TagRequest,
};

impl Client {
    /// Gives a channel with its settings.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn channel(&self, name: &ChannelName) -> Result<ChannelInfo, ClientError> {
        self.get(&format!("channels/{name}")).await
    }

    /// Creates a channel, or gives it other settings.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn set_channel(&self, name: &ChannelName, request: &ChannelRequest) -> Result<Changed, ClientError> {
        self.put(&format!("channels/{name}"), request).await
    }

    /// Removes a channel that lists nothing.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn remove_channel(&self, name: &ChannelName, reason: &ReasonRequest) -> Result<Changed, ClientError> {
        self.delete(&format!("channels/{name}"), reason).await
    }

    /// Withdraws what a channel's retention no longer keeps, or says what that would be.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn retain(&self, name: &ChannelName, request: &RetainRequest) -> Result<Retained, ClientError> {
        self.post(&format!("channels/{name}/retention"), request).await
    }

    /// Gives what a channel listed at some time.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn packages_at(&self, name: &ChannelName, at: &Moment) -> Result<PackageList, ClientError> {
        self.get(&format!("channels/{name}/packages?at={at}")).await
    }

    /// Gives what differs between two channels, or a channel at two times.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn difference(&self, from: &Snapshot, to: &Snapshot) -> Result<Difference, ClientError> {
        self.get(&format!("differences?from={from}&to={to}")).await
    }

    /// Gives the tags.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn tags(&self) -> Result<TagList, ClientError> {
        self.get("tags").await
    }

    /// Sets a tag.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn set_tag(&self, name: &TagName, request: &TagRequest) -> Result<Changed, ClientError> {
        self.put(&format!("tags/{name}"), request).await
    }

    /// Removes a tag.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn remove_tag(&self, name: &TagName, reason: &ReasonRequest) -> Result<Changed, ClientError> {
        self.delete(&format!("tags/{name}"), reason).await
    }

    /// Gives what the environments hold.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn holds(&self) -> Result<HoldList, ClientError> {
        self.get("holds").await
    }

    /// Says what an environment's hosts run and would go back to.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn hold(&self, environment: &TagName, request: &HoldRequest) -> Result<Changed, ClientError> {
        self.put(&format!("environments/{environment}/holds"), request).await
    }

    /// Gives a part of the history, the newest first.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn log(&self, query: &LogQuery) -> Result<Log, ClientError> {
        let LogQuery { channel, since, before, limit } = query;
        // What is written here needs no escape.
        let parts = [
            channel.as_ref().map(|channel| format!("channel={channel}")),
            since.map(|since| format!("since={}", since.format("%Y-%m-%dT%H:%M:%SZ"))),
            before.map(|before| format!("before={before}")),
            limit.map(|limit| format!("limit={limit}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        self.get(&format!("log?{}", parts.join("&"))).await
    }

    pub(crate) async fn delete<T: DeserializeOwned>(
        &self,
        path: &str,
        reason: &ReasonRequest,
    ) -> Result<T, ClientError> {
        let mut url = self.address(path)?;
        let said = [("who", &reason.who), ("why", &reason.why)];
        url.query_pairs_mut().extend_pairs(said.iter().filter_map(|(name, text)| Some((name, text.as_ref()?))));
        read(self.send(|| Ok(self.request(Method::DELETE, url.as_str()))).await?).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, ClientError> {
        let url = self.url(path);
        read(self.send(|| Ok(self.request(Method::PUT, &url).json(body))).await?).await
    }
}
