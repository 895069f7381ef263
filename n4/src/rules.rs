//! What it takes to make a session again: its establishment, with every modification worked in (TS 29.244 7.5.2, 7.5.4).

use bytes::BytesMut;
use foldhash::{HashMap, HashSet};
use pinion_protocols::pfcp::{ElementType, Elements, Error, Message, MessageType, MessageWriter, RawElement};

/// An establishment request that makes the session as it is now, as its SMF would have sent it.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    establishment: Box<[u8]>,
}

/// Kinds of rules: what creates, changes and removes one, and what its number is.
const KINDS: [[ElementType; 4]; 8] = [
    [ElementType::CreatePdr, ElementType::UpdatePdr, ElementType::RemovePdr, ElementType::PdrId],
    [ElementType::CreateFar, ElementType::UpdateFar, ElementType::RemoveFar, ElementType::FarId],
    [ElementType::CreateUrr, ElementType::UpdateUrr, ElementType::RemoveUrr, ElementType::UrrId],
    [ElementType::CreateQer, ElementType::UpdateQer, ElementType::RemoveQer, ElementType::QerId],
    [
        ElementType::CreateBar,
        ElementType::UpdateBarSessionModificationRequest,
        ElementType::RemoveBar,
        ElementType::BarId,
    ],
    [
        ElementType::CreateTrafficEndpoint,
        ElementType::UpdateTrafficEndpoint,
        ElementType::RemoveTrafficEndpoint,
        ElementType::TrafficEndpointId,
    ],
    [ElementType::CreateMar, ElementType::UpdateMar, ElementType::RemoveMar, ElementType::MarId],
    [ElementType::CreateSrr, ElementType::UpdateSrr, ElementType::RemoveSrr, ElementType::SrrId],
];

/// A group within a rule that is changed child by child, and what changes it.
const PARAMETERS: [[ElementType; 2]; 2] = [
    [ElementType::ForwardingParameters, ElementType::UpdateForwardingParameters],
    [ElementType::DuplicatingParameters, ElementType::UpdateDuplicatingParameters],
];

impl Rules {
    /// Those of an establishment request.
    pub(crate) fn of(establishment: &Message<'_>) -> Result<Self, Error> {
        let mut out = BytesMut::new();
        let mut writer = begin(&mut out);
        writer.splice(establishment.elements(), &[])?;
        // As long as it was, which a message can be.
        let _ = writer.finish();
        Ok(Self { establishment: out.as_ref().into() })
    }

    /// What [`Rules::bytes`] gave.
    pub(crate) fn kept(bytes: &[u8]) -> Self {
        Self { establishment: bytes.into() }
    }

    /// What outlives the process.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.establishment
    }

    /// The request.
    ///
    /// # Errors
    /// None, for what was made here and kept well.
    pub(crate) fn establishment(&self) -> Result<Message<'_>, Error> {
        Message::parse(&self.establishment)
    }

    /// Works a modification in. What would make the request longer than a message can be is left out.
    pub(crate) fn modify(&mut self, modification: &Message<'_>) -> Result<(), Error> {
        let changes = changes(modification)?;
        if changes.is_empty() {
            return Ok(());
        }
        let mut out = BytesMut::with_capacity(self.establishment.len().saturating_add(modification.body().len()));
        let mut writer = begin(&mut out);
        let mut by_rule: HashMap<RuleId<'_>, Vec<&Change<'_>>> = HashMap::default();
        for change in &changes {
            by_rule.entry(change.of).or_default().push(change);
        }
        for element in Message::parse(&self.establishment)?.elements() {
            let element = element?;
            let Some(theirs) = created(&element)?.and_then(|of| by_rule.get(&of)) else {
                writer.copy(&element);
                continue;
            };
            if let Some(children) = rule(&element, theirs)? {
                writer.nested(element.kind(), |writer| {
                    for child in &children {
                        child.write(writer);
                    }
                });
            }
        }
        for change in changes.iter().filter(|change| change.what == What::Create) {
            writer.copy(&change.element);
        }
        if writer.finish().is_ok() {
            self.establishment = out.as_ref().into();
        }
        Ok(())
    }
}

fn begin(out: &mut BytesMut) -> MessageWriter<'_> {
    MessageWriter::new(out, MessageType::SessionEstablishmentRequest, Some(0), 0)
}

/// What a modification does to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Create,
    Update,
    Remove,
}

/// A rule: what creates such a one, and its number.
type RuleId<'a> = (ElementType, &'a [u8]);

struct Change<'a> {
    what: What,
    of: RuleId<'a>,
    element: RawElement<'a>,
}

/// The rule that an element creates.
fn created<'a>(element: &RawElement<'a>) -> Result<Option<RuleId<'a>>, Error> {
    let Some([create, .., id]) = KINDS.iter().find(|[create, ..]| *create == element.kind()) else {
        return Ok(None);
    };
    Ok(number(element, *id)?.map(|number| (*create, number)))
}

fn changes<'a>(modification: &Message<'a>) -> Result<Vec<Change<'a>>, Error> {
    let mut changes = Vec::new();
    for element in modification.elements() {
        let element = element?;
        for [create, update, remove, id] in KINDS {
            let what = match element.kind() {
                kind if kind == create => What::Create,
                kind if kind == update => What::Update,
                kind if kind == remove => What::Remove,
                _ => continue,
            };
            if let Some(value) = number(&element, id)? {
                changes.push(Change { what, of: (create, value), element });
            }
        }
    }
    Ok(changes)
}

/// The number of a rule.
fn number<'a>(rule: &RawElement<'a>, id: ElementType) -> Result<Option<&'a [u8]>, Error> {
    let Some(children) = rule.group()? else { return Ok(None) };
    Ok(children.find(id)?.map(|id| id.value()))
}

/// An element of a rule that was changed.
enum Child<'a> {
    Whole(RawElement<'a>),
    /// A group, child by child.
    Group(ElementType, Vec<RawElement<'a>>),
}

impl Child<'_> {
    fn write(&self, writer: &mut MessageWriter<'_>) {
        match self {
            Self::Whole(element) => {
                writer.copy(element);
            }
            Self::Group(kind, children) => {
                writer.nested(*kind, |writer| {
                    for child in children {
                        writer.copy(child);
                    }
                });
            }
        }
    }
}

/// What a rule is after changes; none where it is no more, or is created anew.
fn rule<'a>(created: &RawElement<'a>, changes: &[&Change<'a>]) -> Result<Option<Vec<Child<'a>>>, Error> {
    if changes.iter().any(|change| change.what != What::Update) {
        return Ok(None);
    }
    let mut children: Vec<Child<'a>> = list(created.group()?)?.into_iter().map(Child::Whole).collect();
    for change in changes {
        let new = lasting(change.element.group()?)?;
        // An element that is there takes the place of all of its type.
        let kinds = kinds(&new);
        children.retain(|child| !matches!(child, Child::Whole(old) if kinds.contains(&old.kind())));
        let others = |element: &RawElement<'a>| !PARAMETERS.iter().any(|[_, update]| *update == element.kind());
        children.extend(new.iter().copied().filter(others).map(Child::Whole));
        for [kind, update] in PARAMETERS {
            let mut within = Vec::new();
            for element in new.iter().filter(|element| element.kind() == update) {
                within.extend(lasting(element.group()?)?);
            }
            if kinds.contains(&update) {
                parameters(&mut children, kind, &within)?;
            }
        }
    }
    Ok(Some(children))
}

/// Changes parameters of a kind, or adds them.
fn parameters<'a>(children: &mut Vec<Child<'a>>, kind: ElementType, new: &[RawElement<'a>]) -> Result<(), Error> {
    let mut merged = Vec::new();
    for child in children.iter() {
        match child {
            Child::Whole(old) if old.kind() == kind => merged.extend(list(old.group()?)?),
            Child::Group(of, old) if *of == kind => merged.extend(old.iter().copied()),
            _ => {}
        }
    }
    let kinds = kinds(new);
    merged.retain(|old| !kinds.contains(&old.kind()));
    merged.extend(new.iter().copied());
    children.retain(|child| match child {
        Child::Whole(old) => old.kind() != kind,
        Child::Group(of, _) => *of != kind,
    });
    children.push(Child::Group(kind, merged));
    Ok(())
}

fn kinds(elements: &[RawElement<'_>]) -> HashSet<ElementType> {
    elements.iter().map(RawElement::kind).collect()
}

/// What of a change holds for as long as the rule does: flags ask for something to be done once.
fn lasting(elements: Option<Elements<'_>>) -> Result<Vec<RawElement<'_>>, Error> {
    let mut list = list(elements)?;
    list.retain(|element| element.kind() != ElementType::PfcpsmreqFlags);
    Ok(list)
}

fn list(elements: Option<Elements<'_>>) -> Result<Vec<RawElement<'_>>, Error> {
    elements.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BufMut as _;
    use pinion_protocols::pfcp::{Element, OuterHeaderCreation};
    use std::net::{IpAddr, Ipv4Addr};

    fn message(kind: MessageType, elements: impl FnOnce(&mut MessageWriter<'_>)) -> Vec<u8> {
        let mut out = BytesMut::new();
        let mut writer = MessageWriter::new(&mut out, kind, Some(0), 0);
        elements(&mut writer);
        writer.finish().unwrap();
        out.to_vec()
    }

    fn header(teid: u32) -> Element<'static> {
        Element::OuterHeaderCreation(OuterHeaderCreation {
            description: 0x0100,
            teid: Some(teid),
            addresses: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)).into(),
            port: None,
            c_tag: None,
            s_tag: None,
        })
    }

    fn far(writer: &mut MessageWriter<'_>, number: u32, teid: Option<u32>) {
        writer.nested(ElementType::CreateFar, |writer| {
            writer.add(&Element::FarId(number));
            writer.nested(ElementType::ForwardingParameters, |writer| {
                writer.add(&Element::DestinationInterface(0)).add(&Element::NetworkInstance(b"access"));
                if let Some(teid) = teid {
                    writer.add(&header(teid));
                }
            });
        });
    }

    fn made(establishment: &[u8], modification: &[u8]) -> Vec<u8> {
        let mut rules = Rules::of(&Message::parse(establishment).unwrap()).unwrap();
        rules.modify(&Message::parse(modification).unwrap()).unwrap();
        rules.establishment.to_vec()
    }

    const ESTABLISHMENT: MessageType = MessageType::SessionEstablishmentRequest;
    const MODIFICATION: MessageType = MessageType::SessionModificationRequest;

    /// TS 29.244 7.5.4.3: what an Update FAR does not name stays as it was.
    #[test]
    fn an_update_changes_what_it_names() {
        let before = message(ESTABLISHMENT, |writer| {
            far(writer, 1, Some(7));
            far(writer, 2, None);
        });
        let update = message(MODIFICATION, |writer| {
            writer.nested(ElementType::UpdateFar, |writer| {
                writer.add(&Element::FarId(1));
                writer.nested(ElementType::UpdateForwardingParameters, |writer| {
                    writer.add(&header(8));
                });
            });
        });
        let after = message(ESTABLISHMENT, |writer| {
            // Parameters are merged where they are.
            far(writer, 1, Some(8));
            far(writer, 2, None);
        });
        assert_eq!(made(&before, &update), after);
    }

    /// TS 29.244 8.2.32: flags of a modification say what is to be done with it, once: end markers (SNDEM), as for one FAR.
    #[test]
    fn what_is_done_once_is_not_done_again() {
        let before = message(ESTABLISHMENT, |writer| far(writer, 1, Some(7)));
        let update = message(MODIFICATION, |writer| {
            writer.element(ElementType::PfcpsmreqFlags, |out| out.put_u8(0b111));
            writer.nested(ElementType::UpdateFar, |writer| {
                writer.add(&Element::FarId(1));
                writer.nested(ElementType::UpdateForwardingParameters, |writer| {
                    writer.add(&header(8));
                    writer.element(ElementType::PfcpsmreqFlags, |out| out.put_u8(0b10));
                });
            });
        });
        let after = message(ESTABLISHMENT, |writer| far(writer, 1, Some(8)));
        assert_eq!(made(&before, &update), after);
    }

    #[test]
    fn rules_come_and_go() {
        let before = message(ESTABLISHMENT, |writer| {
            writer.add(&Element::PdnType(1));
            far(writer, 1, Some(7));
            far(writer, 2, None);
        });
        let change = message(MODIFICATION, |writer| {
            writer.nested(ElementType::RemoveFar, |writer| {
                writer.add(&Element::FarId(1));
            });
            far(writer, 3, Some(9));
            writer.add(&Element::Precedence(5));
        });
        let after = message(ESTABLISHMENT, |writer| {
            writer.add(&Element::PdnType(1));
            far(writer, 2, None);
            far(writer, 3, Some(9));
        });
        assert_eq!(made(&before, &change), after);
    }

    #[test]
    fn a_rule_of_another_kind_with_the_same_number_stays() {
        let before = message(ESTABLISHMENT, |writer| {
            writer.nested(ElementType::CreateQer, |writer| {
                writer.add(&Element::QerId(1));
            });
            far(writer, 1, None);
        });
        let change = message(MODIFICATION, |writer| {
            writer.nested(ElementType::RemoveQer, |writer| {
                writer.add(&Element::QerId(1));
            });
        });
        assert_eq!(made(&before, &change), message(ESTABLISHMENT, |writer| far(writer, 1, None)));
    }

    #[test]
    fn any_modification_of_any_establishment_makes_an_establishment() {
        bolero::check!().for_each(|bytes: &[u8]| {
            let (one, other) = bytes.split_at(bytes.len() / 2);
            let (Ok(one), Ok(other)) = (Message::parse(one), Message::parse(other)) else { return };
            let Ok(mut rules) = Rules::of(&one) else { return };
            let before = rules.establishment.clone();
            if rules.modify(&other).is_err() {
                assert_eq!(rules.establishment, before);
            }
            assert!(rules.establishment().unwrap().elements().all(|element| element.is_ok()));
        });
    }
}
