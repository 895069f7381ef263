//! A DNS server in this process.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA};
use hickory_resolver::proto::rr::{Name, RData, Record};
use tokio::net::UdpSocket;

pub(crate) type Zone = Arc<Mutex<Vec<Record>>>;

/// A server of these records; a name that has none does not exist.
pub(crate) async fn server(records: Vec<Record>) -> (SocketAddr, Zone) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (address, zone) = (socket.local_addr().unwrap(), Arc::new(Mutex::new(records)));
    let known = Arc::clone(&zone);
    tokio::spawn(async move {
        let mut room = [0; 4096];
        loop {
            let (length, from) = socket.recv_from(&mut room).await.unwrap();
            let asked = Message::from_vec(&room[..length]).unwrap();
            let query = asked.queries[0].clone();
            let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
            answer.metadata.recursion_available = true;
            let of_name: Vec<Record> =
                known.lock().unwrap().iter().filter(|it| it.name == query.name).cloned().collect();
            if of_name.is_empty() {
                answer.metadata.response_code = ResponseCode::NXDomain;
            }
            for record in of_name.into_iter().filter(|it| it.record_type() == query.query_type) {
                answer.add_answer(record);
            }
            answer.add_query(query);
            socket.send_to(&answer.to_vec().unwrap(), from).await.unwrap();
        }
    });
    (address, zone)
}

pub(crate) fn name(text: &str) -> Name {
    Name::from_ascii(format!("{text}.")).unwrap()
}

pub(crate) fn record(of: &str, ttl: u32, data: RData) -> Record {
    Record::from_rdata(name(of), ttl, data)
}

pub(crate) fn address(of: &str, ttl: u32, address: &str) -> Record {
    match address.parse().unwrap() {
        IpAddr::V4(v4) => record(of, ttl, RData::A(A(v4))),
        IpAddr::V6(v6) => record(of, ttl, RData::AAAA(AAAA(v6))),
    }
}
