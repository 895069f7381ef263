//! Producers as they are written: NF profiles, named as TS 29.510 names them.

use crate::config::read::{List, record};
use crate::config::scalar::Truth;
use crate::config::scalar::sbi::{ApiVersion, CallbackUri, Label, NfInstance, NfType, Rank, Root, ServiceName};

record! {
    /// A producer that is there whatever the NRF says (NFProfile, TS 29.510 6.1.6.2.2).
    Producer = "a producer" {
        /// Its NF instance (nfInstanceId).
        required nf_instance_id: NfInstance,
        /// Its type (nfType).
        required nf_type: NfType,
        /// The NF sets that it belongs to (nfSetIdList). Left out: none.
        optional nf_set_ids: List<Label>,
        /// Whether resources of a service instance are there for its others of the same service (nfServicePersistence). Left out:
        /// false.
        optional nf_service_persistence: Truth,
        /// Notifications that it takes without having asked for them (defaultNotificationSubscriptions). Left out: none.
        optional default_notification_subscriptions: List<DefaultSubscription>,
        /// Where it stands. Left out: nowhere in particular.
        optional locality: Label,
        /// The lowest is chosen first. Left out: 0.
        optional priority: Rank,
        /// Its share among those of its priority. Left out: 100.
        optional capacity: Rank,
        /// What it serves; may be empty where it takes notifications.
        required nf_services: List<NfService>,
    }
}

record! {
    /// What a producer serves, and where (NFService, TS 29.510 6.1.6.2.3).
    NfService = "a service of a producer" {
        /// Its name (serviceName), such as nudm-sdm.
        required service_name: ServiceName,
        /// Where it is.
        required api_root: Root,
        /// The major versions of its API (apiVersionInUri). Left out: v1.
        optional versions: List<ApiVersion>,
        /// Its instance (serviceInstanceId). Left out: its name and its place in the list.
        optional service_instance_id: Label,
        /// The NF service sets that it belongs to (nfServiceSetIdList). Left out: none.
        optional nf_service_set_ids: List<Label>,
        /// Left out: the producer's.
        optional priority: Rank,
        /// Left out: the producer's.
        optional capacity: Rank,
    }
}

record! {
    /// Notifications that a producer takes without having asked for them (DefaultNotificationSubscription, TS 29.510 6.1.6.2.4).
    DefaultSubscription = "a default subscription" {
        /// Their type (notificationType), such as N1_MESSAGES.
        required notification_type: NfType,
        /// Where they go (callbackUri).
        required callback_uri: CallbackUri,
        /// The class of N1 messages that it takes (n1MessageClass), such as LPP. Left out: none.
        optional n1_message_class: Label,
        /// The class of N2 information that it takes (n2InformationClass), such as NRPPA. Left out: none.
        optional n2_information_class: Label,
        /// The major versions of the notifications' API (versions). Left out: any.
        optional versions: List<ApiVersion>,
    }
}
