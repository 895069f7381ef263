use pinion_n2::{Amf, AmfIds, AmfLoss, Bounds, Rules, Settings, Spread};

use super::Told;
use crate::config::model::{self, Service};
use crate::pool::{Endpoint, Pools};
use crate::spoken::name;

/// What the front end of a service is told: the configuration, and what operators asked for since. `None`: the service
/// has no such front end.
#[must_use]
pub fn settings(pools: &Pools, service: &Service) -> Option<Told> {
    let ngap = service.ngap.as_ref()?;
    let name = |endpoint: &Endpoint| name(&service.pool, &endpoint.config.name);
    let amfs = pools.of(&service.pool).map(|endpoint| Amf {
        name: name(endpoint),
        weight: endpoint.weight,
        drained: endpoint.draining.is_some(),
    });
    // Probes tell sooner than SCTP that an AMF is gone.
    let place = |endpoint: &Endpoint| match endpoint.up() {
        Some(false) if endpoint.probed => Vec::new(),
        _ => endpoint.config.addresses.clone(),
    };
    let addresses = pools.of(&service.pool).map(|endpoint| (name(endpoint), place(endpoint)));
    let settings = Settings {
        service: service.name.as_str().into(),
        amf_ids: match ngap.amf_ids {
            model::AmfIds::SetUnique => AmfIds::SetUnique,
            model::AmfIds::PerAmf => AmfIds::PerAmf,
        },
        loss: ngap.reset_after.map_or(AmfLoss::Rebind, |after| AmfLoss::Reset { after }),
        admission: ngap.admission.clone(),
        rules: Rules { pws: spread(ngap.pws), ran_configuration: spread(ngap.ran_configuration) },
        timers: ngap.timers,
        bounds: Bounds {
            ues: ngap.ues,
            gnbs: ngap.gnbs.into(),
            associations: ngap.associations,
            messages: ngap.messages,
            ..Bounds::default()
        },
        ..Settings::new(ngap.amf_name.as_str(), amfs.collect())
    };
    Some(Told { here: service.addresses.clone(), addresses: addresses.collect(), settings })
}

const fn spread(configured: model::Spread) -> Spread {
    match configured {
        model::Spread::First => Spread::First,
        model::Spread::All => Spread::All,
    }
}
