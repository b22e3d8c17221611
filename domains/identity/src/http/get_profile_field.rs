//! `GET /profile/{user_id}/{field}`: one field of a profile.

use super::{Api, get_profile};
use axum::extract::State;
use bongsu_web_kit::matrix::{Answer, Matrix, MatrixError, Reply};
use ruma::api::client::profile::get_profile_field::v3::{Request, Response};
use ruma::profile::{ProfileFieldName, ProfileFieldValue};

pub async fn handle(
    State(api): State<Api>,
    Matrix { request, .. }: Matrix<Request>,
) -> Answer<Response> {
    let fields = get_profile::fields(&api, &request.user_id).await?;
    let wanted = request.field.as_str();
    let mut response = Response::default();
    match fields.into_iter().find(|(name, _)| name == wanted) {
        Some((name, value)) => {
            let value = ProfileFieldValue::new(&name, value).map_err(MatrixError::internal)?;
            response.value = Some(value);
        }
        // Before there were other fields, a person without a name or a picture got an empty object.
        None if is_first_form(&request.field) => {}
        None => return Err(MatrixError::not_found("the profile has no such field")),
    }
    Ok(Reply(response))
}

fn is_first_form(field: &ProfileFieldName) -> bool {
    matches!(
        field,
        ProfileFieldName::DisplayName | ProfileFieldName::AvatarUrl
    )
}
