//! Messages differ only where a clause says so: one exchange straight and one through the SCP, compared field by field and
//! octet by octet.

use std::time::{SystemTime, UNIX_EPOCH};

use pinion_protocols::sbi::{SenderTimestamp, Timestamp};

use crate::clear::scp;
use crate::exchange::{Exchange, Fields, Message, Prepared};
use crate::running::{SCP, settings};

fn fields(fields: &[(&str, &str)]) -> Fields {
    fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// The time of day as clients send it.
pub(crate) fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    SenderTimestamp(Timestamp { milliseconds: u64::try_from(since.as_millis()).unwrap() }).to_string()
}

fn request(authority: &str, target: &str) -> Message {
    let now = now();
    let headers = fields(&[
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", authority),
        (":path", "/nsmf-pdusession/v1/sm-contexts?a=%7B%22b%22%3A1%7D&ck=1f&c=%20+,;/?:@&d"),
        ("user-agent", "AMF-54804518-4191-46b3-955c-ac631f953ea1 amf1.example"),
        ("accept", "application/json, application/problem+json;q=0.5"),
        ("accept", "multipart/related"),
        ("accept-encoding", "gzip, identity"),
        ("content-type", "multipart/related; boundary=\"a b\""),
        ("content-encoding", "gzip"),
        ("te", "trailers"),
        ("trailer", "x-checksum"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("authorization", "Bearer a.b.c"),
        ("if-none-match", "\"etag\""),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        ("tracestate", "a=1,b=2"),
        ("via", "2.0 SCP-another.example"),
        ("x-empty", ""),
        ("x-latin", "caf\u{e9} \u{ff}"),
        ("x-spaced", "a  \t b"),
        ("x-twice", "2"),
        ("x-twice", "1"),
        ("x-twice", "2"),
        ("3gpp-sbi-target-apiroot", target),
        ("3gpp-sbi-routing-binding", "bl=nf-set; nfset=set1.smfset.5gc.mnc012.mcc345"),
        ("3gpp-sbi-binding", "bl=nf-instance; nfinst=54804518-4191-46b3-955c-ac631f953ea1"),
        ("3gpp-sbi-message-priority", "7"),
        ("3gpp-sbi-max-forward-hops", "5; nodetype=scp"),
        ("3gpp-sbi-sender-timestamp", &now),
        ("3gpp-sbi-max-rsp-time", "60000"),
        ("3gpp-sbi-correlation-info", "imsi-001010000000001"),
        ("3gpp-sbi-request-info", "idempotency-key=\"1\""),
        ("3gpp-sbi-nf-peer-info", "srcinst=54804518-4191-46b3-955c-ac631f953ea1"),
        ("3gpp-sbi-retry-info", "no-retries"),
        ("3gpp-sbi-asserted-plmn-id", "345-012"),
        ("3gpp-sbi-of-a-later-release", "x; y=\"z\""),
    ]);
    let body: String = (0..200_000_u32).map(|it| format!("{:02x}", it % 251)).collect();
    Message { headers, body, trailers: fields(&[("x-checksum", "5d41402a"), ("x-empty", "")]) }
}

fn response(status: &str, location: Option<&str>) -> Message {
    let mut headers = fields(&[
        (":status", status),
        ("content-type", "application/json"),
        ("content-encoding", "identity"),
        ("server", "smf1.example"),
        ("date", "Mon, 02 Oct 2023 10:12:41 GMT"),
        ("etag", "W/\"1\""),
        ("cache-control", "max-age=5, private"),
        ("set-cookie", "a=1; Path=/"),
        ("set-cookie", "b=2"),
        ("vary", "accept"),
        ("x-empty", ""),
        ("x-latin", "caf\u{e9} \u{ff}"),
        ("3gpp-sbi-binding", "bl=nf-set; nfset=set1.smfset.5gc.mnc012.mcc345"),
        ("3gpp-sbi-lci", "Timestamp: \"Tue, 04 Feb 2020 08:49:37 GMT\"; Load-Metric: 25%"),
        ("3gpp-sbi-producer-id", "nfinst=54804518-4191-46b3-955c-ac631f953ed1"),
        ("3gpp-sbi-response-info", "no-retry"),
        ("3gpp-sbi-of-a-later-release", "x; y=\"z\""),
    ]);
    if let Some(location) = location {
        headers.push(("location".to_owned(), location.to_owned()));
    }
    let body: String = (0..150_000_u32).map(|it| format!("{:02x}", it % 241)).collect();
    Message { headers, body, trailers: fields(&[("x-checksum", "2a40415d"), ("x-twice", "1"), ("x-twice", "0")]) }
}

/// Fields by which one message differs from another: name, what it was, what it is.
fn differences(of: &Message, from: &Message) -> Vec<(String, String, String)> {
    let all = |message: &Message, name: &str| {
        let values = message.headers.iter().filter(|(it, _)| it == name).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(" | ")
    };
    let mut names: Vec<&str> = of.headers.iter().chain(&from.headers).map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let names = names.into_iter().map(|it| (it.to_owned(), all(from, it), all(of, it)));
    names.filter(|(_, was, is)| was != is).collect()
}

#[tokio::test]
async fn messages_differ_only_where_a_clause_says_so() {
    let answers = [
        ("201", Some("/nsmf-pdusession/v1/sm-contexts/1")),
        ("201", Some("http://another.example/nsmf-pdusession/v1/sm-contexts/2")),
        ("204", None),
        ("403", None),
        ("503", None),
    ];
    for (status, location) in answers {
        let mut answer = response(status, location);
        if status == "204" {
            answer.body.clear();
            answer.trailers.clear();
        }
        let path = request("", "").field(":path").to_owned();
        let plain = path.replace("&ck=1f", "");
        let prepared =
            [path, plain.clone()].map(|path| Prepared { method: "POST".to_owned(), path, answer: answer.clone() });
        let Some(exchange) = Exchange::start(&prepared).await else { return };
        let running = scp(settings()).await;
        let port = exchange.server.port;
        let asked = request(SCP, &exchange.server.root());
        let straight = exchange.ask(port, std::slice::from_ref(&asked)).await.remove(0).ordered();
        let through = exchange.ask(running.address.port(), std::slice::from_ref(&asked)).await.remove(0).ordered();
        let mut seen = exchange.seen().into_iter().map(Message::ordered);
        let (reference, seen) = (seen.next().unwrap(), seen.next().unwrap());
        let mut sent = asked.clone();
        // What Python's h2 makes of what was cookie crumbs (RFC 9113 8.2.3).
        sent.remove("cookie");
        sent.set("cookie", "a=1; b=2");
        assert_eq!(reference, sent.ordered(), "the server does not see what is sent");
        assert_eq!(straight, answer.clone().ordered(), "the client does not see what is answered");

        let mut found = differences(&seen, &reference);
        // 6.11.2: both move with the time that was spent, which is not known.
        let moved = ["3gpp-sbi-max-rsp-time", "3gpp-sbi-sender-timestamp"];
        found.retain(|(name, _, is)| !moved.contains(&name.as_str()) || is.is_empty());
        let left: u64 = seen.field("3gpp-sbi-max-rsp-time").parse().unwrap();
        assert!(left <= 60_000, "{left}");
        let peers = asked.field("3gpp-sbi-nf-peer-info");
        let wanted = [
            // 6.10.10: one SCP less that it may pass.
            ("3gpp-sbi-max-forward-hops", "5; nodetype=scp", "4; nodetype=scp"),
            // 5.2.3.2.19: which SCP comes between.
            ("3gpp-sbi-nf-peer-info", peers, &format!("{peers}; srcscp=SCP-{SCP}")),
            // 6.12.1: for SCPs alone.
            ("3gpp-sbi-routing-binding", asked.field("3gpp-sbi-routing-binding"), ""),
            // 6.10.2.4, 6.10.2.6.
            ("3gpp-sbi-target-apiroot", &exchange.server.root(), ""),
            (":authority", SCP, &format!("127.0.0.1:{port}")),
            (":path", asked.field(":path"), &plain),
            // 6.10.10: by which a loop is found.
            ("via", "2.0 SCP-another.example", &format!("2.0 SCP-another.example | SCP-{SCP}")),
        ];
        assert_eq!(found, wanted.map(|(name, was, is)| (name.to_owned(), was.to_owned(), is.to_owned())));
        assert!(seen.body == reference.body && seen.trailers == reference.trailers);

        let found = differences(&through, &straight);
        let one = |name: &str, was: &str, is: String| vec![(name.to_owned(), was.to_owned(), is)];
        let wanted = match (status, location) {
            // 6.10.4: relative to whom the client does not know.
            (_, Some(location)) if location.starts_with('/') => {
                one("location", location, format!("{}{location}", exchange.server.root()))
            }
            // 6.10.8: errors of others say whom they passed.
            ("403" | "503", _) => one("via", "", format!("SCP-{SCP}")),
            _ => Vec::new(),
        };
        assert_eq!(found, wanted, "{status}");
        assert!(through.body == straight.body && through.trailers == straight.trailers);
    }
}
