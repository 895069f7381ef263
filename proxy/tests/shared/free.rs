//! Where something may listen that is told so before it does.

use std::net::SocketAddr;

use tokio::net::TcpListener;

/// A port that nobody has, at an address that goes with it: nobody else is given the port there before it is bound again.
pub(crate) async fn free() -> SocketAddr {
    let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let [high, low] = port.to_be_bytes();
    ([127, high, low, 2], port).into()
}
