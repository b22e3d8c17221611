//! Where else people's clients can go.

use crate::wiring::House;
use axum::Json;
use axum::extract::State;
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The data centres of this installation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DataCentres {
    /// The one that answers.
    pub here: String,
    /// All of them: the one that answers first, then the nearest.
    pub data_centres: Vec<Reached>,
}

/// One data centre.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reached {
    /// Its name.
    pub name: String,
    /// URL under which clients reach it.
    pub base_url: String,
}

impl DataCentres {
    /// Those of `house`, of which this one is reached at `base_url`.
    pub fn of(house: &House, base_url: &str) -> Self {
        let reached = |name: String, base_url: &str| Reached {
            name,
            base_url: base_url.to_owned(),
        };
        let Some(abroad) = &house.abroad else {
            let here = house.server_name.to_string();
            return Self {
                data_centres: vec![reached(here.clone(), base_url)],
                here,
            };
        };
        let here = abroad.sites.own.to_string();
        let mut others: Vec<_> = abroad.sites.others.iter().collect();
        others.sort_by_key(|other| (other.distance, other.data_centre.clone()));
        let mut data_centres = vec![reached(here.clone(), base_url)];
        data_centres.extend(
            others
                .iter()
                .map(|other| reached(other.data_centre.to_string(), &other.client_url)),
        );
        Self { here, data_centres }
    }
}

/// The data centres of this installation, and where clients reach them. Access tokens and sync tokens are good
/// in all of them.
#[utoipa::path(get, path = "/.well-known/bongsu", tag = "operation",
    responses((status = 200, description = "The data centres", body = DataCentres)))]
pub async fn data_centres(State(all): State<Arc<DataCentres>>) -> Json<DataCentres> {
    Json(DataCentres::clone(&all))
}
