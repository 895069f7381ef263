//! How many gNBs there may be.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{misread, number};
use crate::config::mistake::Wrong;
use crate::config::read::Read;
use crate::config::yaml::{Node, Value};

scalar! {
    /// How many gNBs.
    Gnbs(u16): Number = "number of gNBs", "a number from 1 to 65535",
    |text| number(text).filter(|count| *count != 0),
    { "type": "integer", "minimum": 1, "maximum": 65_535 }
}
