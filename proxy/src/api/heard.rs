//! What is heard of services, over the wire and back.

use pinion_loader::Copies;
use pinion_n2::observe::Counts;

use super::decode::MeaningError;
use super::v1;
use crate::control::{Heard, HeardService};

pub(super) fn encode(Heard { copies, services }: Heard) -> v1::Heard {
    let service = |it: HeardService| v1::HeardService {
        service: it.service,
        associations: it.associations,
        ues: it.ues,
        counts: Some(encode_counts(it.counts)),
    };
    v1::Heard {
        copies: copies.made,
        copies_lost: copies.lost,
        services: services.into_iter().map(service).collect(),
    }
}

pub(super) fn decode(wire: v1::Heard) -> Result<Heard, MeaningError> {
    let service = |it: v1::HeardService| {
        Ok(HeardService {
            service: it.service,
            associations: it.associations,
            ues: it.ues,
            counts: decode_counts(it.counts.ok_or(MeaningError::Missing { field: "heard.services.counts" })?),
        })
    };
    Ok(Heard {
        copies: Copies { made: wire.copies, lost: wire.copies_lost },
        services: wire.services.into_iter().map(service).collect::<Result<_, _>>()?,
    })
}

super::counts! {
    Counts, HeardCounts:
    packets, messages, repeated, missing, unjoined, malformed, met, displaced, silent,
}
