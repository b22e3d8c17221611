//! The keys of the OpenID provider, as an operator sees and replaces them.

use crate::provider::{Provider, RotateError};
use crate::query;
use axum::Json;
use axum::extract::State;
use bongsu_web_kit::admin::{Acting, Body, Done, Operator, Page, Problem, Reason, Refusals};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ListedKey {
    /// Its name.
    pub key_id: String,
    /// What it is for: `refresh`, `eddsa`, `es256` or `rs256`.
    pub kind: String,
    /// Which key-encryption key seals it.
    pub sealed_with: String,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// From when it is used.
    pub signs_from_ms: i64,
    /// From when it is not shown any more; missing for the newest of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_from_ms: Option<i64>,
}

impl From<RotateError> for Problem {
    fn from(error: RotateError) -> Self {
        match error {
            RotateError::Account(error) => error.into(),
            RotateError::Read(error) => error.into(),
            other => Self::internal(other),
        }
    }
}

/// List the keys of the OpenID provider.
#[utoipa::path(get, path = "/admin/v1/keys", tag = "administration: sign-in",
    responses((status = 200, body = Page<ListedKey>), Refusals))]
pub async fn list(State(provider): State<Provider>) -> Result<Json<Page<ListedKey>>, Problem> {
    let rows = provider.accounts().read(query::keys).await?;
    let items = rows.into_iter().map(|key| ListedKey {
        key_id: key.kid,
        kind: format!("{:?}", key.kind).to_lowercase(),
        sealed_with: HEXLOWER.encode(&key.sealed.with.0),
        created_ms: key.made.0,
        signs_from_ms: key.signs_from.0,
        gone_from_ms: key.gone_from.map(|at| at.0),
    });
    Ok(Json(Page {
        items: items.collect(),
        next: None,
    }))
}

/// Replace all keys of the OpenID provider: new ones are shown at once, and used once nobody can have missed them.
#[utoipa::path(post, path = "/admin/v1/keys/rotate", tag = "administration: sign-in",
    request_body = Acting, responses((status = 200, body = Done), Refusals))]
pub async fn rotate(
    State(provider): State<Provider>,
    operator: Operator,
    Body(asked): Body<Acting>,
) -> Result<Done, Problem> {
    let reason = asked.kept_reason()?;
    provider.rotate_keys(operator, reason).await?;
    Ok(Done {})
}
