//! Choices of which one alternative is looked into.

/// Makes choices of one alternative that is looked into, and others that are kept as they came.
macro_rules! choices {
    ($($(#[$meta:meta])* $name:ident { $(#[$doc:meta])* $known:ident($type:ty), $(#[$rest:meta])* Other })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[$doc])*
            $known($type),
            $(#[$rest])*
            Other(Alternative),
        }

        impl Value for $name {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
                match reader.bit()? {
                    false => Value::read(reader).map(Self::$known),
                    true => Alternative::read(reader).map(Self::Other),
                }
            }

            fn write(&self, writer: &mut Writer<'_>) {
                writer.bit(matches!(self, Self::Other(_)));
                match self {
                    Self::$known(known) => Value::write(known, writer),
                    Self::Other(other) => other.write(writer),
                }
            }
        }
    )*};
}

pub(super) use choices;
