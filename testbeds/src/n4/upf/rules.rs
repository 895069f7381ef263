//! Rules of a session, as messages create, update and remove them (TS 29.244 7.5.2, 7.5.4).

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use pinion_protocols::pfcp::{Cause, Element, ElementType, Elements, FTeid, Message, Place, Rule};

use super::super::message::{find, group, groups, rule};
use super::pools::Pools;
use super::{Bearer, Tunnel};

/// Apply Action (TS 29.244 8.2.26): bits FORW and NOCP.
const FORWARD: usize = 1;
const NOTIFY: usize = 3;

/// A packet detection rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pdr {
    /// Whether it finds packets from the access side.
    pub access: bool,
    /// The tunnel that they come by.
    pub tunnel: Option<Tunnel>,
    /// Lower ones are tried first.
    pub precedence: u32,
    /// What is done with them.
    pub far: u32,
}

/// A forwarding action rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Far {
    /// Whether packets go on.
    pub forward: bool,
    /// Whether the SMF is told of the first that does not.
    pub notify: bool,
    /// The tunnel that they are put in.
    pub header: Option<Tunnel>,
}

/// What was chosen for a rule or a traffic endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Created {
    pub(super) place: Place,
    pub(super) tunnel: Option<Tunnel>,
    pub(super) ue: Option<Ipv4Addr>,
}

/// Why rules are refused.
#[derive(Clone, Copy, Debug)]
pub(super) struct Refusal {
    pub(super) cause: Cause,
    pub(super) element: ElementType,
    pub(super) rule: Option<Rule>,
}

impl Refusal {
    pub(super) fn lacks(element: ElementType) -> Self {
        Self { cause: Cause::MANDATORY_MISSING, element, rule: None }
    }

    fn rule(element: ElementType, rule: Rule) -> Self {
        Self { cause: Cause::RULE_FAILURE, element, rule: Some(rule) }
    }

    /// Number of the rule that is refused.
    pub(super) fn number(&self) -> Option<u32> {
        match self.rule? {
            Rule::Pdr(number) => Some(number.into()),
            Rule::Far(number) | Rule::Qer(number) | Rule::Urr(number) => Some(number),
            _ => None,
        }
    }
}

/// Applies the rules of an establishment or a modification to a session.
pub(super) fn apply(
    bearer: &mut Bearer,
    message: &Message<'_>,
    pools: &mut Pools,
    takes_teids: bool,
) -> Result<Vec<Created>, Refusal> {
    let elements = || message.elements();
    remove(bearer, elements(), pools)?;
    for far in groups(elements(), ElementType::CreateFar) {
        let number = number(&far, ElementType::FarId)?;
        if bearer.fars.insert(number, changed(Far::default(), &far, ElementType::ForwardingParameters)).is_some() {
            return Err(Refusal::rule(ElementType::CreateFar, Rule::Far(number)));
        }
    }
    for far in groups(elements(), ElementType::UpdateFar) {
        let number = number(&far, ElementType::FarId)?;
        let refusal = Refusal::rule(ElementType::UpdateFar, Rule::Far(number));
        let old = bearer.fars.get_mut(&number).ok_or(refusal)?;
        *old = changed(*old, &far, ElementType::UpdateForwardingParameters);
        bearer.notified = false;
    }
    for qer in groups(elements(), ElementType::CreateQer) {
        bearer.qers.insert(number(&qer, ElementType::QerId)?);
        if let Some(Element::Qfi(qfi)) = find(qer, ElementType::Qfi) {
            bearer.qfi = Some(qfi);
        }
    }
    for urr in groups(elements(), ElementType::CreateUrr) {
        bearer.urrs.insert(number(&urr, ElementType::UrrId)?, 0);
    }
    let mut created = Vec::new();
    let mut choice = Choice { pools, takes_teids, chosen: BTreeMap::new() };
    for endpoint in groups(elements(), ElementType::CreateTrafficEndpoint) {
        let number = number(&endpoint, ElementType::TrafficEndpointId)? as u8;
        let (tunnel, told) = choice.local(bearer, &endpoint, Place::Endpoint(number))?;
        bearer.endpoints.insert(number, tunnel.ok_or(Refusal::lacks(ElementType::FTeid))?);
        created.push(told);
    }
    for pdr in groups(elements(), ElementType::CreatePdr) {
        created.push(create(bearer, &pdr, &mut choice)?);
    }
    update(bearer, elements())?;
    Ok(created)
}

/// What is updated of rules; an F-TEID of the UPF's own comes back as it was told.
fn update(bearer: &mut Bearer, elements: Elements<'_>) -> Result<(), Refusal> {
    for pdr in groups(elements.clone(), ElementType::UpdatePdr) {
        let number = number(&pdr, ElementType::PdrId)? as u16;
        let refusal = Refusal::rule(ElementType::UpdatePdr, Rule::Pdr(number));
        let old = bearer.pdrs.get_mut(&number).ok_or(refusal)?;
        let told = group(pdr.clone(), ElementType::Pdi).and_then(|pdi| Tunnel::of(find(pdi, ElementType::FTeid)));
        if told.is_some_and(|told| old.tunnel != Some(told)) {
            return Err(Refusal { element: ElementType::FTeid, ..refusal });
        }
        old.far = rule(&pdr, ElementType::FarId).unwrap_or(old.far);
    }
    for endpoint in groups(elements, ElementType::UpdateTrafficEndpoint) {
        let number = number(&endpoint, ElementType::TrafficEndpointId)? as u8;
        let told = Tunnel::of(find(endpoint, ElementType::FTeid));
        if bearer.endpoints.get(&number).is_none_or(|own| told.is_some_and(|told| *own != told)) {
            let cause = Cause::MANDATORY_INCORRECT;
            return Err(Refusal { cause, element: ElementType::UpdateTrafficEndpoint, rule: None });
        }
    }
    Ok(())
}

fn remove(bearer: &mut Bearer, elements: Elements<'_>, pools: &mut Pools) -> Result<(), Refusal> {
    for element in elements.flatten() {
        let kind = match element.kind() {
            ElementType::RemovePdr => ElementType::PdrId,
            ElementType::RemoveFar => ElementType::FarId,
            ElementType::RemoveQer => ElementType::QerId,
            ElementType::RemoveUrr => ElementType::UrrId,
            _ => continue,
        };
        let group = element.group().ok().flatten().ok_or(Refusal::lacks(kind))?;
        let number = number(&group, kind)?;
        let (there, rule) = match kind {
            ElementType::PdrId => {
                // What its tunnel was is free again; what the others have is theirs.
                pools.release(bearer);
                let there = bearer.pdrs.remove(&(number as u16)).is_some();
                pools.keep(bearer);
                (there, Rule::Pdr(number as u16))
            }
            ElementType::FarId => (bearer.fars.remove(&number).is_some(), Rule::Far(number)),
            ElementType::QerId => (bearer.qers.remove(&number), Rule::Qer(number)),
            _ => (bearer.urrs.remove(&number).is_some(), Rule::Urr(number)),
        };
        if !there {
            return Err(Refusal::rule(element.kind(), rule));
        }
    }
    Ok(())
}

fn create(bearer: &mut Bearer, pdr: &Elements<'_>, choice: &mut Choice<'_>) -> Result<Created, Refusal> {
    let number = number(pdr, ElementType::PdrId)? as u16;
    let pdi = group(pdr.clone(), ElementType::Pdi).ok_or(Refusal::lacks(ElementType::Pdi))?;
    let Some(Element::SourceInterface(source)) = find(pdi.clone(), ElementType::SourceInterface) else {
        return Err(Refusal::lacks(ElementType::SourceInterface));
    };
    let Some(Element::Precedence(precedence)) = find(pdr.clone(), ElementType::Precedence) else {
        return Err(Refusal::lacks(ElementType::Precedence));
    };
    let far = rule(pdr, ElementType::FarId).ok_or(Refusal::lacks(ElementType::FarId))?;
    let (local, told) = choice.local(bearer, &pdi, Place::Rule(number))?;
    let endpoint = rule(&pdi, ElementType::TrafficEndpointId).map(|endpoint| endpoint as u8);
    let of_endpoint = endpoint.map(|endpoint| bearer.endpoints.get(&endpoint).copied());
    let refusal = Refusal::rule(ElementType::CreatePdr, Rule::Pdr(number));
    let (false, true, false) =
        (bearer.pdrs.contains_key(&number), bearer.fars.contains_key(&far), of_endpoint == Some(None))
    else {
        return Err(refusal);
    };
    let tunnel = local.or(of_endpoint.flatten());
    bearer.pdrs.insert(number, Pdr { access: source == 0, tunnel, precedence, far });
    Ok(told)
}

/// How what a session needs is chosen.
struct Choice<'a> {
    pools: &'a mut Pools,
    takes_teids: bool,
    /// Those with the same CHOOSE ID get the same.
    chosen: BTreeMap<u8, Tunnel>,
}

impl Choice<'_> {
    /// The tunnel that a PDI or a traffic endpoint has, if it has one, and what of it was chosen.
    fn local(
        &mut self,
        bearer: &mut Bearer,
        elements: &Elements<'_>,
        place: Place,
    ) -> Result<(Option<Tunnel>, Created), Refusal> {
        let refusal = |cause, element| Refusal { cause, element, rule: None };
        let mut told = Created { place, tunnel: None, ue: None };
        let tunnel = match find(elements.clone(), ElementType::FTeid) {
            Some(Element::FTeid(FTeid::Choose { id, .. })) => {
                let before = id.and_then(|id| self.chosen.get(&id).copied());
                told.tunnel = before.or_else(|| self.pools.choose_tunnel(bearer.seid));
                let tunnel = told.tunnel.ok_or(refusal(Cause::NO_RESOURCES, ElementType::FTeid))?;
                self.chosen.extend(id.map(|id| (id, tunnel)));
                Some(tunnel)
            }
            given => {
                let given = Tunnel::of(given);
                if given.is_some_and(|given| !self.takes_teids || !self.pools.take_tunnel(given, bearer.seid)) {
                    return Err(refusal(Cause::INVALID_F_TEID_ALLOCATION, ElementType::FTeid));
                }
                given
            }
        };
        if let Some(Element::UeIpAddress(wanted)) = find(elements.clone(), ElementType::UeIpAddress) {
            if let Some(ue) = wanted.addresses.v4 {
                self.pools.take_ue(ue, bearer.seid);
                bearer.ue = Some(ue);
            } else if wanted.choose_v4 {
                bearer.ue = bearer.ue.or_else(|| self.pools.choose_ue(bearer.seid));
                let none = refusal(Cause::ALL_DYNAMIC_ADDRESSES_OCCUPIED, ElementType::UeIpAddress);
                told.ue = Some(bearer.ue.ok_or(none)?);
            }
        }
        Ok((tunnel, told))
    }
}

/// A rule after what a group says of it.
fn changed(mut far: Far, group_of: &Elements<'_>, parameters: ElementType) -> Far {
    if let Some(Element::ApplyAction(action)) = find(group_of.clone(), ElementType::ApplyAction) {
        (far.forward, far.notify) = (action.has(FORWARD), action.has(NOTIFY));
    }
    if let Some(parameters) = group(group_of.clone(), parameters)
        && let Some(header) = Tunnel::of(find(parameters, ElementType::OuterHeaderCreation))
    {
        far.header = Some(header);
    }
    far
}

fn number(elements: &Elements<'_>, kind: ElementType) -> Result<u32, Refusal> {
    rule(elements, kind).ok_or(Refusal::lacks(kind))
}
