//! The JSON Schema of the configuration, made from the types that files are read into.

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::written::File;

/// The JSON Schema (draft 2020-12) of the configuration. What one value says of another (paths that match, pools
/// that exist) is beyond it; [`super::read`] checks that too.
#[must_use]
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    generator.into_root_schema_for::<File>().to_value()
}
