//! The description of the program's own interfaces. Matrix describes its own.

use axum::Json;
use utoipa::OpenApi;

/// The interfaces that are ours.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bongsu",
        description = "Bongsu's own interfaces. People's clients use the Matrix client-server API beside them, \
                       which the Matrix specification describes. What stands under /control is reachable through \
                       the socket `control.sock` in the data folder alone.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    paths(
        crate::page::page,
        crate::serve::data_centres,
        crate::page::style,
        crate::health::live,
        crate::health::ready,
        crate::metrics::metrics,
        openapi,
        crate::control::server::add_user
    )
)]
struct Description;

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "operation",
    responses((status = 200, description = "OpenAPI 3.1", body = Object)))]
pub async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Description::openapi())
}

/// The description as text.
pub fn text() -> anyhow::Result<String> {
    Ok(Description::openapi().to_pretty_json()?)
}
