//! Causes (TS 29.274 table 8.4-1).

use crate::numbered::numbered;

numbered! {
    /// Why something is asked for, or what became of it (TS 29.274 8.4).
    Cause(u8) else "cause" {
        2 LocalDetach "local detach"
        3 CompleteDetach "complete detach"
        5 IsrDeactivation "ISR deactivation"
        8 ReactivationRequested "reactivation requested"
        16 Accepted "request accepted"
        17 AcceptedPartially "request accepted partially"
        18 NewPdnTypeNetwork "new PDN type due to network preference"
        19 NewPdnTypeSingle "new PDN type due to single address bearer only"
        64 ContextNotFound "context not found"
        65 InvalidMessageFormat "invalid message format"
        66 VersionNotSupported "version not supported by next peer"
        67 InvalidLength "invalid length"
        68 ServiceNotSupported "service not supported"
        69 MandatoryIncorrect "mandatory IE incorrect"
        70 MandatoryMissing "mandatory IE missing"
        72 SystemFailure "system failure"
        73 NoResources "no resources available"
        94 Rejected "request rejected"
        100 PeerNotResponding "remote peer not responding"
        103 ConditionalMissing "conditional IE missing"
        105 InvalidOverallLength "invalid overall length of the triggered response message and a piggybacked initial message"
        107 InvalidReply "invalid reply from remote peer"
    }
}

impl Cause {
    /// Whether what was asked for is done, at least in part.
    pub fn is_accepted(self) -> bool {
        (16..64).contains(&u8::from(self))
    }
}
