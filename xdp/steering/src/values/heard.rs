use crate::{Address, FlowKey};

/// Whose an SCTP packet is that user space has a copy of: what an entry of `COPIES` begins with. The packet's bytes are
/// behind it, from its common header on, as it came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Heard {
    /// The client's address on the path that the packet is on.
    pub client: Address,
    /// Index in `TARGETS` of the endpoint's address on path 0.
    pub endpoint: u32,
    /// The verification tag of packets to the service.
    pub server_tag: u32,
    /// The verification tag of packets to the client.
    pub client_tag: u32,
    /// How long the packet is in bytes; a copy holds what is within [`crate::REACH`] of the frame's beginning.
    pub length: u16,
    /// The service's number.
    pub service: u16,
    /// The service's port.
    pub service_port: u16,
    /// The client's port.
    pub client_port: u16,
    /// 1 where the packet is the endpoint's, 0 where it is the client's.
    pub reply: u8,
    /// Zero.
    pub reserved: [u8; 3],
}

impl Heard {
    /// How many bytes of a packet a copy holds at the most.
    pub const MOST: usize = 2048;

    /// The key of the pin by which the client's packets go; where it is gone, the association has ended.
    #[must_use]
    pub const fn pin(&self) -> FlowKey {
        FlowKey::association(self.server_tag, self.service_port, self.client_port)
    }
}
