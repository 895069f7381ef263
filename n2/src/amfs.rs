//! AMFs, and what they say of themselves.

use std::sync::Arc;

use pinion_protocols::ngap::value::{AmfName, List, Plmn, PlmnSupport, RelativeAmfCapacity, ServedGuami};
use pinion_protocols::ngap::{ElementType, Error, FiveGSTmsi, Guami, Message};

use crate::settings;

/// Which AMF: its place in a list that only grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AmfId(pub(crate) u16);

/// An AMF.
#[derive(Debug)]
pub(crate) struct Amf {
    pub(crate) config: settings::Amf,
    /// Whether it is configured no more.
    pub(crate) gone: bool,
    /// How many gNBs are set up with it.
    pub(crate) up: u32,
    /// How many UEs it has.
    pub(crate) pins: u32,
    /// What it said of itself last, which is mostly the same to all gNBs.
    pub(crate) served: Arc<Served>,
}

impl Amf {
    /// Whether it takes initial messages, as far as its host says.
    pub(crate) fn is_open(&self) -> bool {
        !self.gone && !self.config.drained && self.config.weight > 0
    }
}

/// An AMF set: PLMN, region and set.
pub(crate) type Set = ([u8; 3], u8, u16);

pub(crate) fn set_of(guami: &Guami) -> Set {
    (guami.plmn, guami.region, guami.set)
}

/// Whether an AMF of a GUAMI gave a UE its identity.
pub(crate) fn gave(guami: &Guami, tmsi: FiveGSTmsi) -> bool {
    (guami.set, guami.pointer) == (tmsi.set, tmsi.pointer)
}

/// What an AMF says of itself to a gNB.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) name: Option<AmfName>,
    pub(crate) guamis: Vec<ServedGuami>,
    pub(crate) plmns: Vec<PlmnSupport>,
    pub(crate) capacity: u8,
}

impl Served {
    /// As NG Setup Response says it (TS 38.413 9.2.6.2).
    pub(crate) fn read(message: &Message<'_>) -> Result<Self, Error> {
        let guamis: List<_, 256> = message.need(ElementType::ServedGuamiList)?;
        let plmns: List<_, 12> = message.need(ElementType::PlmnSupportList)?;
        Ok(Self {
            name: message.get(ElementType::AmfName)?,
            guamis: guamis.0,
            plmns: plmns.0,
            capacity: message.need::<RelativeAmfCapacity>(ElementType::RelativeAmfCapacity)?.0,
        })
    }

    /// As AMF Configuration Update changes it: lists are replaced whole, and what is absent stays (8.7.3.2).
    pub(crate) fn updated(&self, message: &Message<'_>) -> Result<Self, Error> {
        let mut new = self.clone();
        if let Some(name) = message.get(ElementType::AmfName)? {
            new.name = Some(name);
        }
        if let Some(guamis) = message.get::<List<_, 256>>(ElementType::ServedGuamiList)? {
            new.guamis = guamis.0;
        }
        if let Some(plmns) = message.get::<List<_, 12>>(ElementType::PlmnSupportList)? {
            new.plmns = plmns.0;
        }
        if let Some(capacity) = message.get::<RelativeAmfCapacity>(ElementType::RelativeAmfCapacity)? {
            new.capacity = capacity.0;
        }
        Ok(new)
    }

    pub(crate) fn has(&self, guami: &Guami) -> bool {
        self.guamis.iter().any(|served| served.guami == *guami)
    }

    /// Whether it is of a set.
    pub(crate) fn is_of(&self, set: Set) -> bool {
        self.guamis.iter().any(|served| set_of(&served.guami) == set)
    }

    /// Whether both are of one set.
    pub(crate) fn same_set(&self, other: &Self) -> bool {
        self.guamis.iter().any(|served| other.is_of(set_of(&served.guami)))
    }

    pub(crate) fn serves(&self, plmn: Plmn) -> bool {
        self.plmns.iter().any(|support| support.plmn == plmn)
    }
}

/// The AMFs, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Amfs(Vec<Amf>);

impl Amfs {
    pub(crate) fn get(&self, id: AmfId) -> Option<&Amf> {
        self.0.get(usize::from(id.0))
    }

    pub(crate) fn get_mut(&mut self, id: AmfId) -> Option<&mut Amf> {
        self.0.get_mut(usize::from(id.0))
    }

    pub(crate) fn is_open(&self, id: AmfId) -> bool {
        self.get(id).is_some_and(Amf::is_open)
    }

    /// Whether one is configured no more.
    pub(crate) fn is_gone(&self, id: AmfId) -> bool {
        self.get(id).is_none_or(|amf| amf.gone)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (AmfId, &Amf)> {
        (0..).map(AmfId).zip(&self.0)
    }

    /// Takes those over that are configured now.
    pub(crate) fn configure(&mut self, configs: &[settings::Amf]) {
        for amf in &mut self.0 {
            amf.gone = true;
        }
        for config in configs {
            let room = self.0.len() < usize::from(u16::MAX);
            match self.0.iter_mut().find(|amf| amf.config.name == config.name) {
                Some(amf) => {
                    amf.config = config.clone();
                    amf.gone = false;
                }
                None if room => {
                    self.0.push(Amf {
                        config: config.clone(),
                        gone: false,
                        up: 0,
                        pins: 0,
                        served: Arc::default(),
                    });
                }
                None => tracing::warn!(amf = &*config.name, "more AMFs than there are numbers for"),
            }
        }
    }

    /// What an AMF says, kept once where it says the same to all.
    pub(crate) fn shared(&mut self, id: AmfId, served: Served) -> Arc<Served> {
        match self.get_mut(id) {
            Some(amf) if *amf.served == served => Arc::clone(&amf.served),
            Some(amf) => {
                amf.served = Arc::new(served);
                Arc::clone(&amf.served)
            }
            None => Arc::new(served),
        }
    }

    pub(crate) fn name(&self, id: AmfId) -> Arc<str> {
        self.get(id).map_or_else(|| Arc::from(""), |amf| Arc::clone(&amf.config.name))
    }
}
