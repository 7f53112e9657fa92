//! The client's part for environments.

use chrono::{DateTime, Utc};

use crate::client::{Client, ClientError};
use crate::{
    Changed, DeploymentInfo, DeploymentList, EnvironmentInfo, EnvironmentList, EnvironmentRequest, Me, SightingRequest,
    TagName,
};

impl Client {
    /// Tells who the server takes the caller for.
    ///
    /// # Errors
    /// [`ClientError`], also where the token is not known.
    pub async fn me(&self) -> Result<Me, ClientError> {
        self.get("me").await
    }

    /// Gives the environments that the caller may see.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn environments(&self) -> Result<EnvironmentList, ClientError> {
        self.get("environments").await
    }

    /// Gives an environment, with what its hosts run, or ran at a time.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn environment(&self, name: &TagName, at: Option<DateTime<Utc>>) -> Result<EnvironmentInfo, ClientError> {
        let at = at.map(|at| format!("?at={}", at.format("%Y-%m-%dT%H:%M:%S%.fZ"))).unwrap_or_default();
        self.get(&format!("environments/{name}{at}")).await
    }

    /// Gives an environment other settings.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn set_environment(&self, name: &TagName, request: &EnvironmentRequest) -> Result<Changed, ClientError> {
        self.put(&format!("environments/{name}"), request).await
    }

    /// Tells how hosts of an environment were seen.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn tell_sightings(&self, name: &TagName, request: &SightingRequest) -> Result<Changed, ClientError> {
        self.post(&format!("environments/{name}/sightings"), request).await
    }

    /// Gives a part of an environment's history, the newest first.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn deployments(&self, name: &TagName, before: Option<&str>) -> Result<DeploymentList, ClientError> {
        let before = before.map(|before| format!("?before={before}")).unwrap_or_default();
        self.get(&format!("environments/{name}/deployments{before}")).await
    }

    /// Gives a deployment with its steps.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn deployment(&self, name: &TagName, id: &str) -> Result<DeploymentInfo, ClientError> {
        self.get(&format!("environments/{name}/deployments/{id}")).await
    }
}
