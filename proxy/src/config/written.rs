//! A configuration as it is written: the types that files are read into, and that the JSON Schema is made from.

mod gtpc;
mod ngap;
mod pfcp;
mod sbi;

use super::model::{Algorithm, AllDown, Attach, Aware, Exit, Protocol, Unknown};
use super::read::{Either, List, choice, record};
use super::scalar::{
    Authority, Backlog, Entries, InARow, InterfaceName, Ip, Jitter, Listen, Mode, Name, Path, Payload, Port,
    Prefix, Priority, Socket, Span, StoreUrl, StoreWord, Teid, Truth, UrlPath, Weight,
};

pub(super) use gtpc::Gtpc;
pub(super) use ngap::{Admission, AmfLoss, Discover, Ngap, Timers};
pub(super) use pfcp::{Breakout, Pfcp, Serves};
pub(super) use sbi::{
    DefaultSubscription, Everything, Limits, NextHop, NfService, Nrf, Overload, Producer, Redirection,
    Registration, Retries, Sbi, SbiTimeouts, SbiTls, Statuses, Targets,
};

record! {
    /// The configuration of Pinion.
    File = "a configuration" {
        /// The interfaces that XDP is attached to: client side and endpoint side. Left out: none is touched.
        optional interfaces: List<Either<InterfaceName, Interface>>,
        /// How others ask the daemon. Left out: the unix socket /run/pinion/api.sock with mode '0660'.
        optional api: Api,
        /// Where Prometheus reads /metrics: an address with a port. Left out: nowhere.
        optional metrics: Either<Listen, Metrics>,
        /// Where pins and N4 sessions are written behind: memory, or the URL of a Redis or Valkey server. Left out: memory.
        optional store: Either<StoreWord, Store>,
        /// How many entries the tables hold.
        optional bounds: Bounds,
        /// What happens when the daemon is told to end. Left out: keep.
        optional on_exit: Exit,
        /// Endpoints that services share.
        optional pools: List<Pool>,
        /// What clients see. May be left out beside sbi.
        optional services: List<Service>,
        /// The SCP of the service-based interface. Left out: none.
        optional sbi: Sbi,
    }
}

record! {
    /// An interface of a path.
    Interface = "an interface" {
        /// Its name.
        required name: InterfaceName,
        /// How XDP is attached. Left out: auto.
        optional attach: Attach,
    }
}

record! {
    /// How others ask the daemon: by a unix socket, or by TCP with mutual TLS.
    Api = "api" {
        /// The path of a unix socket.
        optional unix: Socket,
        /// The unix socket's permissions, octal and in quotes. Left out: '0660'.
        optional mode: Mode,
        /// TCP with mutual TLS, in place of the unix socket.
        optional tls: Tls,
    }
}

record! {
    /// TCP with mutual TLS.
    Tls = "tls" {
        /// Where it listens: an address with a port.
        required listen: Listen,
        /// The daemon's certificate chain, PEM.
        required certificate: Path,
        /// Its private key, PEM.
        required key: Path,
        /// The authorities whose certificates a client may show, PEM.
        required clients: Path,
    }
}

record! {
    /// Where Prometheus reads /metrics.
    Metrics = "metrics" {
        /// An address with a port.
        required listen: Listen,
        /// Whether the address may be other than loopback: /metrics asks nobody who they are. Left out: false.
        optional public: Truth,
    }
}

record! {
    /// Where pins are written behind.
    Store = "store" {
        /// The URL of a Redis or Valkey server.
        required url: StoreUrl,
        /// Whether a binding message waits until its pin is stored. Left out: false.
        optional wait: Truth,
        /// How many changes may wait for the store. Left out: 65536.
        optional backlog: Backlog,
        /// What keys in the store begin with. Left out: 'pinion:'.
        optional prefix: Prefix,
    }
}

record! {
    /// How many entries the tables hold; all are made when the daemon starts.
    Bounds = "bounds" {
        /// Two for each UDP or TCP session over IPv4, three for each SCTP association. Left out: 200000.
        optional flows: Entries,
        /// Two for each UDP or TCP session over IPv6. Left out: 65536.
        optional flows6: Entries,
        /// One for each learned or configured tunnel. Left out: 200000.
        optional pins: Entries,
        /// One for each filter of a tunnel, and room to change them. Left out: 16384.
        optional filters: Entries,
        /// One for each datagram that comes in fragments, for some seconds; the oldest make room. Left out: 16384.
        optional fragments: Entries,
        /// Four for each address of a service. Left out: 65536.
        optional services: Entries,
        /// One for each address of each endpoint of each sctp or gtpu service. Left out: 16384.
        optional sources: Entries,
        /// One for each address of each service and of each of its endpoints. Left out: 65536.
        optional targets: Entries,
        /// Two hundred and some for each endpoint of each service. Left out: 1048576.
        optional maglev: Entries,
    }
}

record! {
    /// Endpoints that services share.
    Pool = "a pool" {
        /// Its name, unique.
        required name: Name,
        /// Its endpoints, 1 to 1,024.
        required endpoints: List<Endpoint>,
        /// How endpoints are probed. Left out: not at all, they count as up.
        optional health: Health,
        /// How long an endpoint that comes up takes to its full weight, up to 1h. Left out: 0s, at once.
        optional slow_start: Span,
        /// How long the sessions of an endpoint that is drained may stay, up to 168h. Left out: until they end.
        optional drain: Span,
    }
}

record! {
    /// A backend instance.
    Endpoint = "an endpoint" {
        /// Its name, unique in its pool.
        required name: Name,
        /// Its address on each path of the service.
        required addresses: List<Ip>,
        /// Its port. Left out: the service's.
        optional port: Port,
        /// Its share relative to the others of its group; 0 gets no new sessions. Left out: 1.
        optional weight: Weight,
        /// Its group: the lowest number with an endpoint that is up gets the new sessions. Left out: 0.
        optional priority: Priority,
        /// Of a UPF behind a pfcp service: which sessions it takes. Left out: all.
        optional pfcp: Serves,
    }
}

record! {
    /// How endpoints are probed, on each path by itself.
    Health = "health" {
        /// What is sent, and what counts as an answer.
        required kind: ProbeKind,
        /// The port that is probed; icmp has none. Left out: the endpoint's.
        optional port: Port,
        /// Time from one probe of a path to the next, 10ms to 1h. Left out: 1s.
        optional interval: Span,
        /// How long an answer may take, at the most the interval. Left out: 500ms, or the interval if that is less.
        optional timeout: Span,
        /// How many answers in a row make a path up. Left out: 2.
        optional rise: InARow,
        /// How many missing in a row make it down. Left out: 3.
        optional fall: InARow,
        /// The part of the interval that is left to chance, in percent. Left out: 10.
        optional jitter: Jitter,
        /// udp: what is sent, as text, or as hex digits after 0x. Left out: nothing, an empty datagram.
        optional payload: Payload,
        /// udp: whether an answer is needed; otherwise silence counts too. Left out: false.
        optional answer: Truth,
        /// http2: what is asked for. Left out: /.
        optional path: UrlPath,
        /// http2: the :authority. Left out: the endpoint's address and port.
        optional authority: Authority,
    }
}

record! {
    /// What clients see. Its endpoints are those of a pool, or listed here.
    Service = "a service" {
        /// Its name, unique.
        required name: Name,
        /// What is balanced.
        required protocol: Protocol,
        /// Its port. gtpu: 2152, pfcp: 8805, gtpv2-c: 2123, ngap: 38412, or left out.
        optional port: Port,
        /// Its address on each path, 1 to 4. pfcp, gtpv2-c: one, of the host that Pinion runs on. ngap: of that host, or, with
        /// SCTP of Pinion's own, of none.
        required addresses: List<Ip>,
        /// The name of its pool.
        optional pool: Name,
        /// The endpoints of a pool of its own, which is named as the service is.
        optional endpoints: List<Endpoint>,
        /// As in a pool, for endpoints that are listed here.
        optional health: Health,
        /// As in a pool, for endpoints that are listed here.
        optional slow_start: Span,
        /// As in a pool, for endpoints that are listed here.
        optional drain: Span,
        /// Which endpoint a new session gets. Left out: maglev. pfcp, gtpv2-c: any but source_affinity.
        optional algorithm: Algorithm,
        /// What becomes of packets of no session, for sctp and gtpu. Left out: drop.
        optional unknown: Unknown,
        /// sctp: what is read of the packets that are carried, to show sessions by. Left out: nothing.
        optional aware: Aware,
        /// What a new session gets when no endpoint is up. Left out: drop. Not for pfcp and gtpv2-c.
        optional all_down: AllDown,
        /// How long sessions live without packets. Not for pfcp and gtpv2-c.
        optional timeouts: Timeouts,
        /// gtpu: tunnels that are pinned whatever the control plane says. Left out: none.
        optional tunnels: List<Tunnel>,
        /// gtpu: the pool whose endpoints users' packets may leave their tunnels to; each has one address, their next hop. Left
        /// out: none.
        optional breakout: Name,
        /// pfcp: how PFCP is spoken for the UPFs.
        optional pfcp: Pfcp,
        /// gtpv2-c: how GTPv2-C is spoken for the SGWs or PGWs.
        optional gtpc: Gtpc,
        /// ngap: how NGAP is spoken for the AMFs.
        optional ngap: Ngap,
    }
}

record! {
    /// A tunnel that is pinned to an endpoint, at every address of its service.
    Tunnel = "a tunnel" {
        /// The TEID that clients send to, unique in the service.
        required teid: Teid,
        /// The name of the endpoint that gets its packets.
        required endpoint: Name,
        /// The TEID as that endpoint knows it. Left out: the same.
        optional endpoint_teid: Teid,
    }
}

record! {
    /// How long sessions live without packets, each 1s to 168h. What is left out depends on the protocol.
    Timeouts = "timeouts" {
        /// While they are made. Left out: 30s.
        optional opening: Span,
        /// Under way. Left out: udp 2m, tcp 124m, sctp 15m, gtpu 15m.
        optional established: Span,
        /// After a FIN or a SHUTDOWN. Left out: tcp 4m, otherwise 30s.
        optional closing: Span,
        /// After a RST, an ABORT or a SHUTDOWN COMPLETE. Left out: 10s.
        optional closed: Span,
    }
}

/// A kind of probe as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProbeKind {
    Icmp,
    Tcp,
    Udp,
    Gtpu,
    Sctp,
    Pfcp,
    Http2,
}

choice! {
    pub(super) ProbeKind = "kind of probe", "icmp, tcp, udp, gtpu, sctp, pfcp or http2" {
        /// ICMP or ICMPv6 echo.
        "icmp" => ProbeKind::Icmp,
        /// A TCP connection.
        "tcp" => ProbeKind::Tcp,
        /// A UDP datagram.
        "udp" => ProbeKind::Udp,
        /// GTP-U Echo Request.
        "gtpu" => ProbeKind::Gtpu,
        /// SCTP INIT.
        "sctp" => ProbeKind::Sctp,
        /// PFCP Heartbeat Request.
        "pfcp" => ProbeKind::Pfcp,
        /// An HTTP/2 GET with prior knowledge; a status of 200 to 399 counts.
        "http2" => ProbeKind::Http2,
    }
}

choice! {
    pub Attach = "way to attach", "auto, native or generic" {
        /// In the driver where it can, otherwise in the stack.
        "auto" => Attach::Auto,
        /// In the driver, or not at all.
        "native" => Attach::Native,
        /// In the kernel's stack: slower, works everywhere.
        "generic" => Attach::Generic,
    }
}

choice! {
    pub Exit = "way to end", "keep or detach" {
        /// The programs stay attached and go on forwarding.
        "keep" => Exit::Keep,
        /// The programs are detached, and what is pinned is taken away.
        "detach" => Exit::Detach,
    }
}

choice! {
    pub Protocol = "protocol", "udp, tcp, sctp, gtpu, pfcp, gtpv2-c or ngap" {
        /// UDP, by 5-tuple.
        "udp" => Protocol::Udp,
        /// TCP, by 5-tuple.
        "tcp" => Protocol::Tcp,
        /// SCTP, by verification tag.
        "sctp" => Protocol::Sctp,
        /// GTP-U, by TEID.
        "gtpu" => Protocol::Gtpu,
        /// PFCP, which Pinion itself speaks.
        "pfcp" => Protocol::Pfcp,
        /// GTPv2-C of S11, S4, S5, S8, S2a and S2b, which Pinion itself speaks.
        "gtpv2-c" => Protocol::Gtpc,
        /// NGAP of N2, which Pinion itself speaks: each UE is pinned to its AMF. To pin whole associations, take sctp.
        "ngap" => Protocol::Ngap,
    }
}

choice! {
    pub Algorithm = "algorithm", "maglev, round_robin, weighted, least_sessions or source_affinity" {
        /// Consistent hashing of the whole flow, by weight.
        "maglev" => Algorithm::Maglev,
        /// One after the other, whatever their weight.
        "round_robin" => Algorithm::RoundRobin,
        /// One after the other, by weight.
        "weighted" => Algorithm::Weighted,
        /// The one with the fewest sessions for its weight.
        "least_sessions" => Algorithm::LeastSessions,
        /// Consistent hashing of the client's address: all its sessions go to one endpoint.
        "source_affinity" => Algorithm::SourceAffinity,
    }
}

choice! {
    pub Unknown = "choice for packets of no session", "drop, hash, punt or indicate" {
        /// They are dropped.
        "drop" => Unknown::Drop,
        /// They go where consistent hashing says.
        "hash" => Unknown::Hash,
        /// They are dropped, and user space gets a copy.
        "punt" => Unknown::Punt,
        /// They are dropped, and who sent a user packet gets a GTP-U Error Indication. For gtpu alone.
        "indicate" => Unknown::Indicate,
    }
}

choice! {
    pub Aware = "protocol that is read", "ngap" {
        /// NGAP: which UEs there are, and on which AMF. The daemon gets copies; the packets themselves wait for nothing.
        "ngap" => Aware::Ngap,
    }
}

choice! {
    pub AllDown = "choice for when no endpoint is up", "fail_open, drop or reject" {
        /// An endpoint as if all were up: health may be wrong.
        "fail_open" => AllDown::FailOpen,
        /// Nothing: its packets are dropped.
        "drop" => AllDown::Drop,
        /// A refusal: TCP RST, SCTP ABORT, ICMP port unreachable.
        "reject" => AllDown::Reject,
    }
}
