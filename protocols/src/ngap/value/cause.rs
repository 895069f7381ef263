//! Why something is done or not.

use core::time::Duration;

use crate::ap::{Alternative, Reader, Value, Writer, Wrong};
use crate::numbered::numbered;

/// Cause (TS 38.413 9.3.1.2): a number of a group. Numbers of newer releases come through.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Radio network layer.
    RadioNetwork(u8),
    /// Transport layer.
    Transport(u8),
    /// NAS.
    Nas(u8),
    /// Protocol.
    Protocol(u8),
    /// Miscellaneous.
    Misc(u8),
    /// A group of a newer release.
    Other(Alternative),
}

impl Cause {
    /// Radio network: unknown local UE NGAP ID.
    pub const UNKNOWN_LOCAL_ID: Self = Self::RadioNetwork(14);
    /// Radio network: inconsistent remote UE NGAP ID.
    pub const INCONSISTENT_REMOTE_ID: Self = Self::RadioNetwork(15);
    /// Transport: transport resource unavailable.
    pub const TRANSPORT_UNAVAILABLE: Self = Self::Transport(0);
    /// NAS: normal release.
    pub const NORMAL_RELEASE: Self = Self::Nas(0);
    /// Protocol: transfer syntax error.
    pub const TRANSFER_SYNTAX_ERROR: Self = Self::Protocol(0);
    /// Protocol: abstract syntax error (reject).
    pub const ABSTRACT_SYNTAX_ERROR: Self = Self::Protocol(1);
    /// Protocol: message not compatible with receiver state.
    pub const NOT_COMPATIBLE: Self = Self::Protocol(3);
    /// Protocol: semantic error.
    pub const SEMANTIC_ERROR: Self = Self::Protocol(4);
    /// Misc: control processing overload.
    pub const OVERLOAD: Self = Self::Misc(0);
    /// Misc: hardware failure.
    pub const HARDWARE_FAILURE: Self = Self::Misc(2);
    /// Misc: O&M intervention.
    pub const INTERVENTION: Self = Self::Misc(3);
    /// Misc: unknown PLMN or SNPN.
    pub const UNKNOWN_PLMN: Self = Self::Misc(4);
    /// Misc: unspecified.
    pub const UNSPECIFIED: Self = Self::Misc(5);
}

impl Value for Cause {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
        let offset = reader.offset();
        Ok(match reader.bits(3)? {
            0 => Self::RadioNetwork(reader.enumerated(6, 45)?),
            1 => Self::Transport(reader.enumerated(1, 2)?),
            2 => Self::Nas(reader.enumerated(2, 4)?),
            3 => Self::Protocol(reader.enumerated(3, 7)?),
            4 => Self::Misc(reader.enumerated(3, 6)?),
            5 => Self::Other(Alternative::read(reader)?),
            _ => return Err(Wrong::Range { offset }),
        })
    }

    fn write(&self, writer: &mut Writer<'_>) {
        let (group, bits, root, number) = match self {
            Self::RadioNetwork(number) => (0, 6, 45, number),
            Self::Transport(number) => (1, 1, 2, number),
            Self::Nas(number) => (2, 2, 4, number),
            Self::Protocol(number) => (3, 3, 7, number),
            Self::Misc(number) => (4, 3, 6, number),
            Self::Other(other) => {
                writer.bits(3, 5);
                return other.write(writer);
            }
        };
        writer.bits(3, group);
        writer.enumerated(bits, root, *number);
    }
}

numbered! {
    /// Time to Wait: how long it is before the procedure may be tried again (TS 38.413 9.3.1.56).
    TimeToWait(u8) else "time to wait" {
        0 OneSecond "1 s"
        1 TwoSeconds "2 s"
        2 FiveSeconds "5 s"
        3 TenSeconds "10 s"
        4 TwentySeconds "20 s"
        5 OneMinute "60 s"
    }
}

impl TimeToWait {
    /// How long it is; of a value of a newer release a minute.
    pub fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::OneSecond => 1,
            Self::TwoSeconds => 2,
            Self::FiveSeconds => 5,
            Self::TenSeconds => 10,
            Self::TwentySeconds => 20,
            Self::OneMinute | Self::Other(_) => 60,
        })
    }
}

numbered! {
    /// RRC Establishment Cause (TS 38.413 9.3.1.111).
    RrcEstablishmentCause(u8) else "establishment cause" {
        0 Emergency "emergency"
        1 HighPriorityAccess "highPriorityAccess"
        2 MtAccess "mt-Access"
        3 MoSignalling "mo-Signalling"
        4 MoData "mo-Data"
        5 MoVoiceCall "mo-VoiceCall"
        6 MoVideoCall "mo-VideoCall"
        7 MoSms "mo-SMS"
        8 MpsPriorityAccess "mps-PriorityAccess"
        9 McsPriorityAccess "mcs-PriorityAccess"
        10 NotAvailable "notAvailable"
        11 MoExceptionData "mo-ExceptionData"
    }
}

/// Reads and writes enumerations: the bits of their numbers, and how many their root has.
macro_rules! enumerations {
    ($($name:ident $bits:literal $root:literal)*) => {$(
        impl Value for $name {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
                reader.enumerated($bits, $root).map(Self::from)
            }

            fn write(&self, writer: &mut Writer<'_>) {
                writer.enumerated($bits, $root, (*self).into());
            }
        }
    )*};
}

enumerations! {
    TimeToWait 3 6
    RrcEstablishmentCause 4 10
}

pub(super) use enumerations;
