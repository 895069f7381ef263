//! F5, R1: what this SCP is called, and what leads to it.

use std::sync::Arc;
use std::time::SystemTime;

use http::{Request, Response};
use pinion_scp::settings::Settings;
use pinion_scp::tally::Event;
use pinion_scp::{Prepared, Speech};
use tokio::net::{TcpListener, TcpStream};

use crate::pools::Given;
use crate::running::{secret, speak};
use crate::support::{Client, Does, Producer, run, scp, settings, until};

fn plain(settings: Settings) -> Prepared {
    Prepared::new(settings, None, None)
}

/// Whatever it is called, a listener of its own is this SCP: nothing is sent to it, not even once.
#[tokio::test]
async fn f5_a_target_that_leads_to_a_listener_of_this_scp_is_a_loop() {
    let prepared = Prepared { resolver: Arc::new(Given(vec![[127, 0, 0, 1].into()])), ..plain(settings()) };
    let running = run(prepared, Speech::Clear).await;
    let client = Client { sender: speak(TcpStream::connect(running.address).await.unwrap()).await };
    let port = running.address.port();
    for host in ["127.0.0.1", "LOCALHOST", "machine.example"] {
        for request in [
            Request::get("http://scp.example/x")
                .header("3gpp-Sbi-Target-apiRoot", format!("http://{host}:{port}")),
            // Who does not know of it, and finds it in the way (6.10.2A).
            Request::get(format!("http://{host}:{port}/x")),
        ] {
            let answer = client.ask(request.body("").unwrap()).await;
            assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "MSG_LOOP_DETECTED"), "{host}");
            assert!(answer.problem("detail").as_str().unwrap().contains("authorities"));
        }
    }
    // The client's, and those that only were begun.
    until(|| running.scp.connections() == 1).await;
    assert_eq!(running.scp.parts().pools.connections(), 0);
}

/// It listens at all addresses that there are, of both families.
#[tokio::test]
async fn f5_so_does_any_address_of_the_machine_where_it_listens_at_all_of_them() {
    let listener = TcpListener::bind("[::]:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let scp = pinion_scp::Scp::new(plain(settings()), SystemTime::now, secret);
    let (_drain, drained) = tokio::sync::watch::channel(false);
    let served = tokio::spawn(async move { scp.serve(listener, Speech::Clear, drained).await });
    let client = Client { sender: speak(TcpStream::connect(("127.0.0.1", port)).await.unwrap()).await };
    for host in ["127.0.0.1", "127.0.0.9", "[::1]", "[::ffff:127.0.0.1]"] {
        let request = Request::get("http://scp.example/x")
            .header("3gpp-Sbi-Target-apiRoot", format!("http://{host}:{port}"));
        let answer = client.ask(request.body("").unwrap()).await;
        assert_eq!(answer.cause(), "MSG_LOOP_DETECTED", "{host}");
        assert!(answer.problem("detail").as_str().unwrap().contains("authorities"));
    }
    served.abort();
}

/// RFC 9110 4.2.3.
#[tokio::test]
async fn r1_clients_know_the_scp_with_its_schemes_port_and_without() {
    let producer = Producer::start().await;
    let mut settings = settings();
    settings.identity.prefix = "/1".to_owned();
    let running = scp(settings).await;
    let client = Client::connect(running.address).await;
    let (scheme, port) = if crate::secure::secure() { ("https", 443) } else { ("http", 80) };
    let request = Request::get(format!("{scheme}://SCP.example:{port}/1/x"));
    let request = request.header("3gpp-Sbi-Target-apiRoot", producer.root()).body("").unwrap();
    assert_eq!(client.ask(request).await.status, 200);
    assert_eq!(producer.only().uri, format!("{}/x", producer.root()));
    let own = format!("{scheme}://scp.example:{port}/1");
    let request = Request::get(format!("{scheme}://scp.example/1/x")).header("3gpp-Sbi-Target-apiRoot", own);
    let answer = client.ask(request.body("").unwrap()).await;
    assert_eq!(
        (answer.cause().as_str(), running.scp.tally().count(Event::DialNameless)),
        ("MSG_LOOP_DETECTED", 0)
    );
}

/// It would obscure who is asked, and is never written on (RFC 9110 4.2.4, RFC 9113 8.3.1).
#[tokio::test]
async fn r5_who_is_asked_has_no_user_before_its_name() {
    let producer = Producer::over(None, |_| Does::Answers(Response::default())).await;
    let running = run(plain(settings()), Speech::Clear).await;
    let client = Client { sender: speak(TcpStream::connect(running.address).await.unwrap()).await };
    let request = Request::get(format!("http://scp.example@{}/x", producer.address));
    let answer = client.ask(request.body("").unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.cause().as_str()), (400, "INVALID_MSG_FORMAT"));
    assert!(producer.seen().is_empty());
}
