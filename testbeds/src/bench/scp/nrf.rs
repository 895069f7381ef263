//! An NRF that knows one UDM, and counts who asks.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::Response;
use tokio::net::TcpListener;

use super::BenchError;

/// How often it was asked.
#[derive(Clone, Default)]
pub(super) struct Searches(Arc<AtomicUsize>);

impl Searches {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Starts it on a port; the UDM it knows is on another.
pub(super) async fn start(port: u16, udm: u16) -> Result<Searches, BenchError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .map_err(|error| BenchError::Missing(format!("port {port}: {error}")))?;
    let answer = Bytes::from(format!(
        r#"{{"validityPeriod":86400,"nfInstances":[{{"nfInstanceId":"54804518-4191-46b3-955c-ac631f953ed8","nfType":"UDM",
        "nfStatus":"REGISTERED","nfServices":[{{"serviceInstanceId":"sdm-1","serviceName":"nudm-sdm","scheme":"http",
        "nfServiceStatus":"REGISTERED","versions":[{{"apiVersionInUri":"v2","apiFullVersion":"2.1.0"}}],
        "ipEndPoints":[{{"ipv4Address":"127.0.0.1","port":{udm}}}]}}]}}]}}"#
    ));
    let searches = Searches::default();
    let counted = searches.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, counted) = (answer.clone(), counted.clone());
            tokio::spawn(async move {
                let Ok(mut connection) = h2::server::handshake(stream).await else { return };
                while let Some(Ok((_, mut respond))) = connection.accept().await {
                    counted.0.fetch_add(1, Ordering::Relaxed);
                    let head = Response::builder()
                        .header("content-type", "application/json")
                        .body(())
                        .unwrap_or_default();
                    if let Ok(mut stream) = respond.send_response(head, false) {
                        let _ = stream.send_data(answer.clone(), true);
                    }
                }
            });
        }
    });
    Ok(searches)
}
