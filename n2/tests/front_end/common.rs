//! Paging, warnings, `NRPPa`, transfers of configuration: where what is about no UE context goes.

use bytes::Bytes;
use pinion_n2::{Leg, Rules, Settings, Spread};
use pinion_protocols::ngap::value::{Cause, RoutingId, UePagingIdentity};
use pinion_protocols::ngap::{Criticality, ElementType, Outcome, Procedure};

use crate::messages::{add, initiating, message, tmsi};
use crate::stage::{Stage, says, settings};

const MESSAGE_ID: ElementType = ElementType::Other(35);
const SERIAL: ElementType = ElementType::Other(95);

fn warning(outcome: Outcome, serial: u8) -> Bytes {
    message(outcome, Procedure::WriteReplaceWarning, |it| {
        it.element(MESSAGE_ID, Criticality::Reject, |it| it.octets(&[0x11, 0x12]));
        it.element(SERIAL, Criticality::Reject, |it| it.octets(&[0, serial]));
    })
}

fn nrppa(procedure: Procedure, id: u8) -> Bytes {
    initiating(procedure, |it| add(it, ElementType::RoutingId, &RoutingId(vec![id; 3].into())))
}

fn paging() -> Bytes {
    initiating(Procedure::Paging, |it| {
        add(it, ElementType::UePagingIdentity, &UePagingIdentity::FiveGSTmsi(tmsi(1, 0)));
    })
}

#[test]
fn paging_goes_to_the_one_gnb() {
    let mut stage = Stage::set_up(settings(2), 2);
    stage.say(stage.between(2, 0), 0, &paging());
    let said = stage.one(Leg::Gnb(2));
    assert_eq!((said.bytes, said.stream), (paging(), 0));
    stage.silent();
}

#[test]
fn warnings_are_answered_to_whoever_sent_them() {
    let mut stage = Stage::set_up(settings(2), 1);
    let amfs = [stage.upstream(0), stage.upstream(1)];
    // Both AMFs send the one that is the same: that is legal.
    for (amf, serial) in [(amfs[0], 1), (amfs[1], 2), (amfs[1], 1)] {
        stage.say(amf, 0, &warning(Outcome::Initiating, serial));
        assert_eq!(stage.one(Leg::Gnb(1)).bytes, warning(Outcome::Initiating, serial));
    }
    for (amf, serial) in [(amfs[1], 2), (amfs[0], 1), (amfs[1], 1)] {
        stage.say(Leg::Gnb(1), 0, &warning(Outcome::Successful, serial));
        assert_eq!(stage.one(amf).bytes, warning(Outcome::Successful, serial));
        stage.silent();
    }
    stage.say(Leg::Gnb(1), 0, &warning(Outcome::Successful, 1));
    stage.silent();
    assert_eq!(stage.front_end.counts().unexpected, 1);
}

#[test]
fn uplink_nrppa_goes_to_the_amf_that_sent_the_routing_id_last() {
    let mut stage = Stage::set_up(settings(3), 1);
    for (amf, id) in [(1, 7), (2, 8), (2, 7), (1, 8)] {
        let bytes = nrppa(Procedure::DownlinkNonUeAssociatedNrppaTransport, id);
        stage.say(stage.upstream(amf), 0, &bytes);
        assert_eq!(stage.one(Leg::Gnb(1)).bytes, bytes);
    }
    for (amf, id) in [(2, 7), (1, 8), (0, 9)] {
        stage.say(Leg::Gnb(1), 0, &nrppa(Procedure::UplinkNonUeAssociatedNrppaTransport, id));
        assert_eq!(stage.reached().0, amf, "{id}");
    }
}

#[test]
fn what_could_go_to_any_amf_goes_by_rule() {
    use Procedure::{
        PwsFailureIndication, PwsRestartIndication, UplinkRanConfigurationTransfer, UplinkRimInformationTransfer,
    };
    for (pws, ran_configuration) in [(Spread::First, Spread::All), (Spread::All, Spread::First)] {
        let settings = Settings { rules: Rules { pws, ran_configuration }, ..settings(2) };
        let mut stage = Stage::set_up(settings, 1);
        for (procedure, spread) in [
            (PwsRestartIndication, pws),
            (PwsFailureIndication, pws),
            (UplinkRanConfigurationTransfer, ran_configuration),
            (UplinkRimInformationTransfer, ran_configuration),
        ] {
            let bytes = initiating(procedure, |_| {});
            stage.say(Leg::Gnb(1), 0, &bytes);
            assert_eq!(stage.one(stage.upstream(0)).bytes, bytes);
            if spread == Spread::All {
                assert_eq!(stage.one(stage.upstream(1)).bytes, bytes);
            }
            stage.silent();
        }
    }
}

#[test]
fn a_gnb_that_is_not_set_up_hears_of_nothing() {
    let mut stage = Stage::new(settings(2));
    let (_, amf) = stage.ask();
    stage.all(amf);
    stage.say(amf, 0, &says(0).setup_response());
    stage.say(amf, 0, &paging());
    stage.silent();
    assert_eq!(stage.front_end.counts().undeliverable, 1);
}

#[test]
fn what_is_about_a_ue_names_it() {
    let mut stage = Stage::set_up(settings(2), 1);
    let amf = stage.upstream(1);
    for (leg, procedure) in [
        (Leg::Gnb(1), Procedure::UplinkNasTransport),
        (Leg::Gnb(1), Procedure::UeContextReleaseRequest),
        (amf, Procedure::DownlinkNasTransport),
        (amf, Procedure::PduSessionResourceSetup),
    ] {
        stage.say(leg, 2, &initiating(procedure, |_| {}));
        let said = stage.one(leg);
        assert_eq!(
            (said.kind().0, said.cause()),
            (Procedure::ErrorIndication, Some(Cause::ABSTRACT_SYNTAX_ERROR))
        );
        stage.silent();
    }
    assert_eq!(stage.front_end.counts().malformed, 4);
}
