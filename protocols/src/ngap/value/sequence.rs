//! Sequences whose extensions are kept: items of lists.

use crate::ap::{Extensions, Reader, Value, Writer, Wrong};

/// What a field of a sequence may be: a value, a value that may be absent, a mark, or the extensions.
pub(super) trait Field: Sized {
    /// Whether a bit at the beginning of the sequence says if it is there.
    const OPTIONAL: bool;

    fn take(reader: &mut Reader<'_>, there: bool) -> Result<Self, Wrong>;

    fn is_there(&self) -> bool;

    fn put(&self, writer: &mut Writer<'_>);
}

impl<T: Value> Field for T {
    const OPTIONAL: bool = false;

    fn take(reader: &mut Reader<'_>, _: bool) -> Result<Self, Wrong> {
        T::read(reader)
    }

    fn is_there(&self) -> bool {
        true
    }

    fn put(&self, writer: &mut Writer<'_>) {
        self.write(writer);
    }
}

impl<T: Value> Field for Option<T> {
    const OPTIONAL: bool = true;

    fn take(reader: &mut Reader<'_>, there: bool) -> Result<Self, Wrong> {
        super::optional(reader, there)
    }

    fn is_there(&self) -> bool {
        self.is_some()
    }

    fn put(&self, writer: &mut Writer<'_>) {
        self.iter().for_each(|value| value.write(writer));
    }
}

/// An enumeration of a single value.
impl Field for bool {
    const OPTIONAL: bool = true;

    fn take(reader: &mut Reader<'_>, there: bool) -> Result<Self, Wrong> {
        if there {
            reader.enumerated(0, 1)?;
        }
        Ok(there)
    }

    fn is_there(&self) -> bool {
        *self
    }

    fn put(&self, writer: &mut Writer<'_>) {
        if *self {
            writer.enumerated(0, 1, 0);
        }
    }
}

impl Field for Extensions {
    const OPTIONAL: bool = true;

    fn take(reader: &mut Reader<'_>, there: bool) -> Result<Self, Wrong> {
        Self::read(reader, there)
    }

    fn is_there(&self) -> bool {
        !self.is_empty()
    }

    fn put(&self, writer: &mut Writer<'_>) {
        self.write(writer);
    }
}

/// Makes sequences of fields in their order, the extensions last.
macro_rules! sequences {
    ($($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $field:ident: $type:ty,)* })*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Value for $name {
            fn read(reader: &mut Reader<'_>) -> Result<Self, Wrong> {
                let optional = [$(<$type as Field>::OPTIONAL),*].into_iter().filter(|it| *it).count();
                let (added, present) = reader.sequence(optional)?;
                let mut bit = 1_u8 << optional;
                $(
                    bit >>= u8::from(<$type as Field>::OPTIONAL);
                    let $field = <$type as Field>::take(reader, present & bit != 0)?;
                )*
                reader.additions(added)?;
                Ok(Self { $($field),* })
            }

            fn write(&self, writer: &mut Writer<'_>) {
                let fields = [$((<$type as Field>::OPTIONAL, self.$field.is_there())),*];
                let optional = fields.into_iter().filter(|it| it.0);
                let present = optional.clone().fold(0, |bits, (_, there)| bits << 1 | u8::from(there));
                writer.sequence(optional.count(), present);
                $(self.$field.put(writer);)*
            }
        }
    )*};
}

pub(super) use sequences;
