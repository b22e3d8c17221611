//! Writing a file.

use super::refused::Refused;
use super::{House, Rights, file};
use axum::body::{Body, BodyDataStream};
use axum::extract::{Path, Request, State};
use bongsu_store::Writer;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};
use tokio::time::timeout;

/// The file is there once all of it has come, and not before.
pub(super) async fn put(
    State(house): State<House>,
    Path((store, name)): Path<(String, String)>,
    request: Request,
) -> Result<StatusCode, Refused> {
    let offer = house.offer(&store)?;
    if offer.rights != Rights::ReadAndPut {
        return Err(Refused::MayNotPut);
    }
    let name = file(&name)?;
    let announced = announced(request.headers());
    if announced.is_some_and(|bytes| bytes > house.put_bytes) {
        return Err(Refused::TooLong(house.put_bytes));
    }
    let _place = house.transfer()?;
    let mut writer = Writer::new(offer.store.clone(), name);
    match house.write(&mut writer, request.into_body()).await {
        Ok(()) => {
            writer.finish().await?;
            Ok(StatusCode::NO_CONTENT)
        }
        Err(refused) => {
            writer.abort().await;
            Err(refused)
        }
    }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

impl House {
    async fn write(&self, writer: &mut Writer, body: Body) -> Result<(), Refused> {
        let mut pieces = body.into_data_stream();
        let mut bytes = 0_u64;
        while let Some(piece) = self.next(&mut pieces).await? {
            bytes = bytes.saturating_add(piece.len() as u64);
            if bytes > self.put_bytes {
                return Err(Refused::TooLong(self.put_bytes));
            }
            self.pace.take(piece.len()).await;
            writer.put(piece).await?;
        }
        Ok(())
    }

    async fn next(&self, pieces: &mut BodyDataStream) -> Result<Option<Bytes>, Refused> {
        let next = timeout(self.patience, pieces.next()).await;
        let next = next.map_err(|_| Refused::BrokeOff("nothing came for a while".to_owned()))?;
        next.transpose()
            .map_err(|error| Refused::BrokeOff(error.to_string()))
    }
}
